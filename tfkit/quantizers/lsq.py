"""Learned step size quantization."""

from __future__ import annotations

from typing import Any

from tfkit.quantizers._base import ACTIVATIONS, AtLeast, LearnedQuantizer, checked_bits
from tfkit.quantizers._levels import Levels, uniform
from tfkit.quantizers._names import quantizer

_ONE_BIT = "for one bit use a sign: 'ste_sign', 'xnor_weights' or 'dorefa_w1'"


def lsq(x: Any, step: Any, lowest: int, highest: int, scale: Any, derivative: Any) -> Any:
    """round(clip(x / step, lowest, highest)) · step with the gradients of ``LSQWeights``; ``scale`` is g."""
    import tensorflow as tf

    middle, half = (highest + lowest) / 2.0, (highest - lowest) / 2.0

    @tf.custom_gradient
    def call(values: Any, s: Any) -> Any:
        units = values / s
        codes = tf.clip_by_value(tf.round(units), float(lowest), float(highest))

        def gradient(upstream: Any) -> tuple[Any, Any]:
            inside = (units > lowest) & (units < highest)
            towards_step = tf.where(inside, codes - units, codes)
            return upstream * derivative((units - middle) / half), scale * tf.reduce_sum(upstream * towards_step)

        return codes * s, gradient

    return call(x, step)


class _LSQ(LearnedQuantizer):
    """What weights and activations share: the step and its beginning."""

    lowest: int
    highest: int

    def build(self, input_shape: Any) -> None:
        self.step = self.add_weight("step", (), initializer="ones", constraint=AtLeast())
        super().build(input_shape)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        import tensorflow as tf

        return [(self.step, tf.maximum(2.0 * tf.reduce_mean(tf.abs(x)) / float(self.highest) ** 0.5, 1e-6))]

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        shape = tf.shape(x) if self.role != ACTIVATIONS else tf.shape(x)[1:]
        scale = tf.math.rsqrt(tf.cast(tf.reduce_prod(shape) * self.highest, tf.float32))
        step = tf.convert_to_tensor(self.step)
        return lsq(x, step, self.lowest, self.highest, scale, self._derivative)

    def levels(self, values: Any = None) -> Levels:
        return uniform(self.lowest, self.highest, self.step.numpy())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision}


@quantizer("lsq_w{bits}", range(2, 9))
class LSQWeights(_LSQ):
    """k-bit weights on a grid whose step is learned.

    Forward: q = s · round(clip(w / s, -Q_N, Q_P)), Q_N = 2^(k-1), Q_P = 2^(k-1) - 1.
    Gradient: dL/dw = dL/dq · f'(u), u = -1 and +1 at -Q_N and Q_P, f' = 1[|u| <= 1];
    dL/ds = g · Σ dL/dq · (round(w / s) - w / s inside, -Q_N or Q_P outside), g = 1 / √(number of weights · Q_P).

    s begins at 2 mean(|w|) / √Q_P.

    Args:
        bits: k, 2 to 8.
        pseudo_gradient: another f' by name.

    Source: Esser et al. 2020, https://arxiv.org/abs/1902.08153, section 2: equations 1 and 2 (forward) and 3 (step),
    "Step size gradient scale" (g, and where s begins), "Training" (f').
    """

    def __init__(self, bits: int = 2, **kwargs: Any) -> None:
        self.precision = checked_bits("LSQ", bits, 2, 8, _ONE_BIT if bits == 1 else "")
        self.lowest, self.highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        super().__init__(**kwargs)


@quantizer("lsq_a{bits}", range(1, 9))
class LSQActivations(_LSQ):
    """k-bit activations that are not negative, on a grid whose step is learned.

    As ``LSQWeights`` with Q_N = 0 and Q_P = 2^k - 1; g counts the values of one sample.

    Args:
        bits: k, 1 to 8.
        pseudo_gradient: another f' by name.

    Source: Esser et al. 2020, https://arxiv.org/abs/1902.08153, section 2: equations 1 and 2 (forward) and 3 (step),
    "Step size gradient scale" (g, and where s begins), "Training" (f').
    """

    role = ACTIVATIONS

    def __init__(self, bits: int = 2, **kwargs: Any) -> None:
        self.precision = checked_bits("LSQ", bits, 1, 8)
        self.lowest, self.highest = 0, 2**bits - 1
        super().__init__(**kwargs)
