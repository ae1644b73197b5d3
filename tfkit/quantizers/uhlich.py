"""Mixed precision by learning: step size and dynamic range of a linear quantizer decide its bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit.quantizers._base import ACTIVATIONS, KERNEL, AtLeast, LearnedQuantizer, checked_bits
from tfkit.quantizers._levels import Levels, uniform
from tfkit.quantizers._names import quantizer

_MOST = 8


class _Learned(LearnedQuantizer):
    """What weights and activations share; ``_sign_bits`` of a value are for its sign."""

    _sign_bits: int

    def __init__(self, bits: int = 4, size_penalty: float = 0.0, **kwargs: Any) -> None:
        least = 1 + self._sign_bits
        hint = "a sign is one bit: use 'ste_sign'" if bits == 1 else ""
        self.bits = checked_bits("Uhlich's quantizer", bits, least, _MOST, hint)
        if not size_penalty >= 0:
            raise UsageError(f"size_penalty is not negative, got {size_penalty!r}; 0 leaves the bits to the task")
        self.size_penalty = size_penalty
        super().__init__(**kwargs)

    @property
    def precision(self) -> int:  # type: ignore[override]
        """Bits that the learned step and range take now."""
        if not self.built or not hasattr(self.step, "numpy"):
            return self.bits
        codes = round(float(self.range.numpy() / self.step.numpy()))
        return max(int(np.ceil(np.log2(codes + 1.0))), 1) + self._sign_bits

    def build(self, input_shape: Any) -> None:
        self.step = self.add_weight("step", (), initializer="ones", constraint=AtLeast())
        codes = 2.0 ** (self.bits - self._sign_bits) - 1.0
        self.range = self.add_weight("range", (), constraint=AtLeast())
        self.range.assign(codes)
        super().build(input_shape)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        import tensorflow as tf

        codes = 2.0 ** (self.bits - self._sign_bits) - 1.0
        top = tf.maximum(self._top(x), 1e-5)
        return [(self.step, top / codes), (self.range, top)]

    def _top(self, x: Any) -> Any:
        import tensorflow as tf

        return tf.reduce_max(tf.abs(x))

    def _grid(self) -> tuple[Any, Any]:
        """Step, and codes on one side: the range is a whole number of steps, and of no more than 8 bits."""
        import tensorflow as tf

        most = 2.0 ** (_MOST - self._sign_bits) - 1.0
        step = tf.convert_to_tensor(self.step)
        return step, tf.clip_by_value(tf.round(self.range / step), 1.0, most)

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        if self.size_penalty and training is not None and training is not False:
            bits = tf.math.log(self.range / self.step + 1.0) / np.log(2.0) + self._sign_bits
            self.add_loss(self.size_penalty * bits)
        codes = tf.stop_gradient(self._grid()[1])
        lowest = -codes if self._sign_bits else tf.zeros_like(codes)

        @tf.custom_gradient
        def call(values: Any, step: Any, limit: Any) -> Any:
            units = values / step
            rounded = tf.clip_by_value(tf.round(units), lowest, codes)

            def gradient(upstream: Any) -> tuple[Any, Any, Any]:
                inside = tf.cast((units >= lowest) & (units <= codes), tf.float32)
                u = units / codes if self._sign_bits else 2.0 * units / codes - 1.0
                beyond = tf.where(units > codes, 1.0, tf.where(units < lowest, tf.sign(lowest), 0.0))
                return (
                    upstream * self._derivative(u),
                    tf.reduce_sum(upstream * inside * (rounded - units)),
                    tf.reduce_sum(upstream * beyond),
                )

            return rounded * step, gradient

        return call(x, tf.convert_to_tensor(self.step), tf.convert_to_tensor(self.range))

    def levels(self, values: Any = None) -> Levels:
        step, codes = self._grid()
        return uniform(-int(codes) if self._sign_bits else 0, int(codes), step.numpy())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.bits, "size_penalty": self.size_penalty}


@quantizer("uhlich_w{bits}", range(2, 9))
class UhlichWeights(_Learned):
    """Weights on a linear grid with learned step d and range q_max, and with them learned bits.

    Forward: q = sign(w) · d · min(round(|w| / d), q_max / d), q_max taken as a whole number of steps.
    Gradient: dL/dw = dL/dq · f'(w / q_max), f' = 1[|u| <= 1]; dL/dd = Σ dL/dq · (q - w) / d over |w| <= q_max;
    dL/dq_max = Σ dL/dq · sign(w) over |w| > q_max.
    Bits: b = ⌈log₂(q_max / d + 1)⌉ + 1, at most 8.

    Begins with the given bits over the largest |w|.

    Args:
        bits: where b begins, 2 to 8.
        size_penalty: added to the loss per bit, log₂(q_max / d + 1) + 1; with none the task alone decides.
        pseudo_gradient: another f' by name.

    Source: Uhlich et al. 2020, https://arxiv.org/abs/1905.11452, section 2: parameterization by (d, q_max), its
    gradients and bit width; q_max = (2^(b-1) - 1) d is equation 12 of Roth et al. 2020,
    https://arxiv.org/abs/2001.03048.
    """

    role = KERNEL
    _sign_bits = 1


@quantizer("uhlich_a{bits}", range(1, 9))
class UhlichActivations(_Learned):
    """Activations that are not negative, on a linear grid with learned step and range.

    As ``UhlichWeights`` without the sign: values in [0, q_max], b = ⌈log₂(q_max / d + 1)⌉.

    Args:
        bits: where b begins, 1 to 8.
        size_penalty, pseudo_gradient: as for the weights.

    Source: Uhlich et al. 2020, https://arxiv.org/abs/1905.11452, section 2.
    """

    role = ACTIVATIONS
    _sign_bits = 0

    def _top(self, x: Any) -> Any:
        """Three standard deviations: the largest of many activations is an outlier."""
        import tensorflow as tf

        return tf.reduce_mean(tf.nn.relu(x)) + 3.0 * tf.math.reduce_std(tf.nn.relu(x))
