"""LQ-Net: quantizers whose levels are all sums of a learned basis, so that bit operations still compute with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit.quantizers._base import ACTIVATIONS, LearnedQuantizer, checked_bits
from tfkit.quantizers._levels import Levels, binary_codes
from tfkit.quantizers._names import quantizer
from tfkit.quantizers._qem import best_basis, level_of, nearest, sorted_levels
from tfkit.quantizers.gradients import identity, straight_through

_BITS = range(1, 5)
_MOMENTUM = 0.9
_RIDGE = 1e-6  # relative to the number of values; keeps unused codes from a singular system
_QUARTILE = 0.6745  # of the normal distribution
_SAMPLED = 1 << 16


class _LQ(LearnedQuantizer):
    """What weights and activations share: rows of values, each with a basis of its own."""

    codes: np.ndarray

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

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        basis = tf.convert_to_tensor(self.basis)
        levels, codes = sorted_levels(basis, self.codes)
        rows = self._as_rows(tf.stop_gradient(x))
        index = nearest(rows, levels, training)
        outputs = self._from_rows(level_of(index, levels), x)
        if training is not False:
            self._learn(rows, index, codes, basis, training)
        low, high = self._from_rows(levels[:, :1], None), self._from_rows(levels[:, -1:], None)
        middle, half = (high + low) / 2.0, tf.maximum((high - low) / 2.0, 1e-12)
        if self._derivative is identity:
            return straight_through(x, lambda _: outputs, identity)
        return straight_through(x, lambda _: outputs, lambda v: self._derivative((v - middle) / half))

    def _learn(self, rows: Any, index: Any, codes: Any, basis: Any, training: Any) -> None:
        import tensorflow as tf

        kept = tf.cast(training, tf.float32) * (1.0 - _MOMENTUM)
        every = self._every(rows)
        if every is not None:
            rows, index = rows[:, ::every], index[:, ::every]
        best = best_basis(rows, index, codes, basis, _RIDGE)
        self.basis.assign_add(kept * (best - basis))

    def _every(self, rows: Any) -> Any:
        """Every so many values are looked at; None: all."""
        return None

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
                self.basis.assign(best_basis(rows, index, codes, tf.convert_to_tensor(self.basis), _RIDGE))
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

        axis = self.axis % len(x.shape)
        others = [a for a in range(len(x.shape)) if a != axis]
        self._order = [axis, *others]
        return tf.reshape(tf.transpose(x, self._order), [x.shape[axis], -1])

    def _from_rows(self, rows: Any, x: Any) -> Any:
        import tensorflow as tf

        if x is None:  # one value a channel
            shape = [1] * len(self._order)
            shape[self._order[0]] = -1
            return tf.reshape(rows, shape)
        back = np.argsort(self._order)
        return tf.transpose(tf.reshape(rows, [x.shape[a] for a in self._order]), back)

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
    v is learned as in ``LQWeights``, from up to 65536 values of a batch at even distances.

    v begins at 2 · 0.6745 / (2^k - 1) · (1, 2, ..., 2^(k-1)).

    Args:
        bits: k, 1 to 4.
        pseudo_gradient: another f' by name, of u = -1 and +1 at the lowest and highest level.

    Source: Zhang et al. 2018, https://arxiv.org/abs/1807.10029, sections 3.2 and 3.3.
    """

    role = ACTIVATIONS

    def __init__(self, bits: int = 2, **kwargs: Any) -> None:
        self.precision = checked_bits("LQ-Net", bits, 1, 4, "more bits are linear: use 'lsq_a8' or 'dorefa_a8'")
        self.codes = binary_codes(self.precision, zero=0)
        super().__init__(**kwargs)

    def _beginning(self) -> np.ndarray:
        return super()._beginning() * 2.0 / (2**self.precision - 1)

    def _rows(self, shape: Any) -> int:
        return 1

    def _as_rows(self, x: Any) -> Any:
        import tensorflow as tf

        return tf.reshape(x, [1, -1])

    def _from_rows(self, rows: Any, x: Any) -> Any:
        import tensorflow as tf

        return rows[0, 0] if x is None else tf.reshape(rows, tf.shape(x))

    def _every(self, rows: Any) -> Any:
        import tensorflow as tf

        return tf.maximum(tf.size(rows) // _SAMPLED, 1)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        return []

    def levels(self, values: Any = None) -> Levels:
        return Levels(self.codes, self.basis.numpy()[0])
