"""LQ-Net: quantizers whose levels are all sums of a learned basis, so that bit operations still compute with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit.quantizers._base import ACTIVATIONS, LearnedQuantizer, channel_axes, checked_bits
from tfkit.quantizers._fused import has_compiler, nearest_level
from tfkit.quantizers._levels import Levels, binary_codes
from tfkit.quantizers._names import quantizer
from tfkit.quantizers._qem import best_basis, level_of, nearest, sorted_levels, training_step
from tfkit.quantizers.gradients import identity, straight_through

_BITS = range(1, 5)
_MOMENTUM = 0.9
_QUARTILE = 0.6745  # of the normal distribution
_SAMPLED = 1 << 16


class _LQ(LearnedQuantizer):
    """What weights and activations share: rows of values, each with a basis of its own."""

    codes: np.ndarray
    _zero = -1  # the factor of a basis element that is not +1

    def build(self, input_shape: Any) -> None:
        self.basis = self.add_weight("basis", (self._rows(input_shape), self.precision), trainable=False)
        self.basis.assign(np.broadcast_to(self._beginning(), self.basis.shape))
        super().build(input_shape)

    def _beginning(self) -> np.ndarray:
        return np.float32(_QUARTILE) * 2.0 ** np.arange(self.precision)

    def _rows(self, shape: Any) -> int:
        raise NotImplementedError

    def _as_rows(self, x: Any) -> Any:
        raise NotImplementedError

    def _from_rows(self, rows: Any, x: Any) -> Any:
        raise NotImplementedError

    def _per_channel(self, numbers: Any, x: Any) -> Any:
        """One number a row in a shape that goes with ``x``."""
        raise NotImplementedError

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        basis = tf.convert_to_tensor(self.basis)
        if training is False:
            levels, _ = sorted_levels(basis, self.codes)
            rows = self._as_rows(tf.stop_gradient(x))
            outputs = self._from_rows(level_of(nearest(rows, levels, training), levels), x)
            return self._with_gradient(x, outputs, levels)
        rows = self._as_rows(self._sample(tf.stop_gradient(x)))
        levels, values, best = training_step(self.precision, self._zero)(rows, basis)
        levels.set_shape((basis.shape[0], 2**self.precision))
        self.basis.assign_add(tf.cast(training, tf.float32) * (1.0 - _MOMENTUM) * (best - basis))
        return self._trained(x, values, levels)

    def _with_gradient(self, x: Any, outputs: Any, levels: Any) -> Any:
        """``outputs``, whose derivative is f' of ``x`` in units of the range from the lowest to the highest level."""
        import tensorflow as tf

        if self._derivative is identity:
            return straight_through(x, lambda _: outputs, identity)
        low, high = self._per_channel(levels[:, 0], x), self._per_channel(levels[:, -1], x)
        middle, half = (high + low) / 2.0, tf.maximum((high - low) / 2.0, 1e-12)
        return straight_through(x, lambda _: outputs, lambda v: self._derivative((v - middle) / half))

    def _trained(self, x: Any, values: Any, levels: Any) -> Any:
        """The outputs of a training step; ``values`` are those of what was sampled."""
        raise NotImplementedError

    def _sample(self, x: Any) -> Any:
        """What the update looks at: all."""
        return x

    def minimize(self, values: Any, rounds: int = 1) -> list[float]:
        """Run whole QEM updates, without the moving average, and return the mean squared error before each and at last.

        Both halves of an update, the nearest codes and the least-squares basis, can only lower it.
        """
        import tensorflow as tf

        if not self.built:
            self.build(tf.TensorShape(np.shape(values)))
        rows = self._as_rows(tf.constant(values, tf.float32))
        errors = []
        for number in range(rounds + 1):
            levels, codes = sorted_levels(tf.convert_to_tensor(self.basis), self.codes)
            index = nearest(rows, levels, True)
            errors.append(float(tf.reduce_mean(tf.square(level_of(index, levels) - rows))))
            if number < rounds:
                self.basis.assign(best_basis(rows, index, codes, tf.convert_to_tensor(self.basis)))
        return errors

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision}


@quantizer("lq_w{bits}", _BITS)
class LQWeights(_LQ):
    """k-bit weights with one basis of k numbers per output channel.

    Forward: q = vᵀb with the b in {-1, +1}^k for which it is nearest to w; v is the channel's basis.
    Gradient: dL/dw = dL/dq · f'(u), f' = 1.
    In every training step v ← 0.9 v + 0.1 v*, v* = (BᵀB)⁻¹ Bᵀ w with the b of this step in the rows of B
    (quantization error minimization, one round a step, and a moving average of its results).

    v begins at 0.6745 σ / 2^(k-1) · (1, 2, ..., 2^(k-1)), σ the root mean square of the channel.

    Args:
        bits: k, 1 to 4.
        axis: the axis of the output channels, -1 but for transposed (-2) and depthwise convolutions (-2).
        pseudo_gradient: another f' by name, of u = -1 and +1 at the lowest and highest level.

    Source: Zhang et al. 2018, https://arxiv.org/abs/1807.10029, sections 3.2 (quantizer) and 3.3 (algorithm 1).
    """

    default_gradient = "identity"

    def __init__(self, bits: int = 2, axis: int | None = -1, **kwargs: Any) -> None:
        self.precision = checked_bits("LQ-Net", bits, 1, 4, "more bits are linear: use 'lsq_w8' or 'dorefa_w8'")
        if not isinstance(axis, int):
            raise UsageError(
                f"LQ-Net's weights have a basis per channel, got axis={axis!r}; give the axis of the output channels: "
                "-1, or -2 for transposed and depthwise kernels"
            )
        self.axis = axis
        self.codes = binary_codes(self.precision)
        super().__init__(**kwargs)
        self.is_sign = self.precision == 1

    def _rows(self, shape: Any) -> int:
        if shape.rank is None or shape.rank < 2 or shape[self.axis] is None:
            raise UsageError(
                f"LQ-Net's weights have a basis per channel, and a kernel of shape {shape} has no channels on axis "
                f"{self.axis}; use 'lsq_w{max(self.precision, 2)}', which has one step a layer"
            )
        return int(shape[self.axis])

    def _as_rows(self, x: Any) -> Any:
        import tensorflow as tf

        return tf.reshape(tf.transpose(x, self._order(x)), [x.shape[self.axis], -1])

    def _from_rows(self, rows: Any, x: Any) -> Any:
        import tensorflow as tf

        order = self._order(x)
        return tf.transpose(tf.reshape(rows, [x.shape[a] for a in order]), np.argsort(order))

    def _order(self, x: Any) -> list[int]:
        """The axes of ``x``, that of the channels first."""
        return [self.axis % len(x.shape), *channel_axes(x, self.axis)]

    def _per_channel(self, numbers: Any, x: Any) -> Any:
        import tensorflow as tf

        return tf.reshape(numbers, [-1 if a == self.axis % len(x.shape) else 1 for a in range(len(x.shape))])

    def _trained(self, x: Any, values: Any, levels: Any) -> Any:
        return self._with_gradient(x, self._from_rows(values, x), levels)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        import tensorflow as tf

        spread = tf.sqrt(tf.reduce_mean(tf.square(self._as_rows(x)), 1, keepdims=True))
        begin = self._beginning().astype(np.float32) / 2.0 ** (self.precision - 1)
        return [(self.basis, tf.maximum(spread, 1e-6) * begin[None])]

    def levels(self, values: Any = None) -> Levels:
        return Levels(self.codes, self.basis.numpy())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@quantizer("lq_a{bits}", _BITS)
class LQActivations(_LQ):
    """k-bit activations with one basis of k numbers for the layer.

    Forward: q = vᵀb with the b in {0, 1}^k for which it is nearest to x, so that 0 is a level.
    Gradient: dL/dx = dL/dq · f'(u), f' = 1[|u| <= 1], that is 1 from the lowest level to the highest.
    v is learned as in ``LQWeights``, the paper's rule but for the values it looks at: all channels of places at even
    distances, some 65536 values of a batch, where the paper takes the whole batch.

    v begins at 2 · 0.6745 / (2^k - 1) · (1, 2, ..., 2^(k-1)).

    Args:
        bits: k, 1 to 4.
        pseudo_gradient: another f' by name, of u = -1 and +1 at the lowest and highest level.

    Source: Zhang et al. 2018, https://arxiv.org/abs/1807.10029, sections 3.2 and 3.3.
    """

    role = ACTIVATIONS
    _zero = 0

    def __init__(self, bits: int = 2, **kwargs: Any) -> None:
        self.precision = checked_bits("LQ-Net", bits, 1, 4, "more bits are linear: use 'lsq_a8' or 'dorefa_a8'")
        self.codes = binary_codes(self.precision, self._zero)
        super().__init__(**kwargs)

    def _beginning(self) -> np.ndarray:
        return super()._beginning() * 2.0 / (2**self.precision - 1)

    def _rows(self, shape: Any) -> int:
        return 1

    def _as_rows(self, x: Any) -> Any:
        import tensorflow as tf

        return tf.reshape(x, [1, -1])

    def _sample(self, x: Any) -> Any:
        import tensorflow as tf

        places = tf.reshape(x, [-1, x.shape[-1] or 1])
        every = tf.maximum(tf.size(x) // _SAMPLED, 1)
        return places[:: tf.bitwise.bitwise_or(every, 1)]  # an odd step visits every column of a map of even width

    def _from_rows(self, rows: Any, x: Any) -> Any:
        import tensorflow as tf

        return tf.reshape(rows, tf.shape(x))

    def _per_channel(self, numbers: Any, x: Any) -> Any:
        return numbers[0]

    def _trained(self, x: Any, values: Any, levels: Any) -> Any:
        import tensorflow as tf

        if has_compiler():
            return nearest_level(x, levels[0], self._derivative)
        index = nearest(self._as_rows(tf.stop_gradient(x)), levels, True)
        return self._with_gradient(x, self._from_rows(level_of(index, levels), x), levels)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        return []

    def levels(self, values: Any = None) -> Levels:
        return Levels(self.codes, self.basis.numpy()[0])
