"""ABC-Net: several binary bases, for weights and for activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._larq import larq
from tfkit.quantizers._base import ACTIVATIONS, Quantizer, checked_bits
from tfkit.quantizers._fused import has_compiler, sum_of_signs
from tfkit.quantizers._levels import Levels, binary_codes
from tfkit.quantizers._names import quantizer
from tfkit.quantizers.gradients import straight_through

_BASES = range(1, 6)


@quantizer("abc_w{bits}", _BASES)
class ABCWeights(Quantizer):
    """A kernel as the best sum of M binary kernels.

    Forward: B_i = sign(w - mean(w) + u_i std(w)), u_i = -1 + 2 (i - 1) / (M - 1) (0 for M = 1);
    q = Σ_i α_i B_i with α = argmin |w - Σ α_i B_i|², by linear regression.
    Gradient: dL/dw = Σ_i α_i f'(w) · dL/dq with f' = 1 and the α taken as constant.

    Args:
        bits: M, the number of binary kernels, 1 to 5.
        pseudo_gradient: another f' by name.

    Source: Lin et al. 2017, https://arxiv.org/abs/1711.11294, section 3.1.
    """

    default_gradient = "identity"

    def __init__(self, bits: int = 3, **kwargs: Any) -> None:
        self.precision = checked_bits("ABC-Net", bits, 1, 5)
        super().__init__(**kwargs)
        self.is_sign = self.precision == 1
        self._shifts = np.linspace(-1, 1, bits) if bits > 1 else np.zeros(1)

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        values = tf.stop_gradient(x)
        bases, scales = self._fit(values)
        outputs = tf.reshape(tf.linalg.matvec(bases, scales), tf.shape(values))
        return straight_through(x, lambda _: outputs, lambda w: tf.reduce_sum(scales) * self._derivative(w))

    def _fit(self, values: Any) -> tuple[Any, Any]:
        """The bases as columns, and their scales. A trace of ridge keeps equal bases from a singular system."""
        import tensorflow as tf

        centred = values - tf.reduce_mean(values)
        spread = tf.math.reduce_std(values)
        shifted = [centred + np.float32(u) * spread for u in self._shifts]
        bases = tf.stack([larq.math.sign(tf.reshape(part, [-1])) for part in shifted], 1)
        size = tf.cast(tf.shape(bases)[0], tf.float32)
        gram = tf.matmul(bases, bases, transpose_a=True) / size + 1e-6 * tf.eye(self.precision)
        target = tf.linalg.matvec(bases, tf.reshape(values, [-1]), transpose_a=True) / size
        return bases, tf.linalg.solve(gram, target[:, None])[:, 0]

    def levels(self, values: Any = None) -> Levels:
        scales = self._fit(self._needed(values))[1].numpy()
        return Levels(binary_codes(self.precision), scales)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision}


@quantizer("abc_a{bits}", _BASES)
class ABCActivations(Quantizer):
    """Activations as a sum of N binary maps with learned shifts and scales.

    Forward: A_i = sign(clip(x + v_i, 0, 1) - 0.5), which is +1 for x + v_i >= 0.5; q = Σ_i β_i A_i.
    Gradient: dL/dx = Σ_i β_i f'_i · dL/dq and dL/dv_i = Σ_x β_i f'_i · dL/dq with f'_i = 1[0 <= x + v_i <= 1];
    dL/dβ_i = Σ_x A_i · dL/dq.

    The shifts begin where they put the thresholds at even distances in [-1, 1], the scales at 1 / N.

    Args:
        bits: N, 1 to 5.
        pseudo_gradient: another f' by name, of u = 2 (x + v) - 1.

    Source: Lin et al. 2017, https://arxiv.org/abs/1711.11294, section 3.2.
    """

    role = ACTIVATIONS

    def __init__(self, bits: int = 3, **kwargs: Any) -> None:
        self.precision = checked_bits("ABC-Net", bits, 1, 5)
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        bits = self.precision
        shifts = 0.5 - (2.0 * (np.arange(bits) + 0.5) / bits - 1.0)
        initial = self._initial
        self.shifts = self.add_weight("shifts", (bits,), initializer=initial(shifts))
        self.scales = self.add_weight("scales", (bits,), initializer=initial(np.full(bits, 1.0 / bits)))
        super().build(input_shape)

    @staticmethod
    def _initial(values: np.ndarray) -> Any:
        return lambda shape, dtype=None, **_: np.asarray(values, np.float32)

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        if training is not None and training is not False and has_compiler():
            shifts, scales = tf.convert_to_tensor(self.shifts), tf.convert_to_tensor(self.scales)
            return sum_of_signs(x, shifts, scales, self._derivative)
        parts = []
        for i in range(self.precision):
            ends = 2.0 * (x + self.shifts[i]) - 1.0  # -1 and +1 at the ends of the clipped range
            # f' is of clip(x + v): half of the derivative towards ``ends``, which grows twice as fast.
            sign = straight_through(ends, larq.math.sign, lambda u: 0.5 * self._derivative(u))
            parts.append(self.scales[i] * sign)
        return tf.add_n(parts)

    def levels(self, values: Any = None) -> Levels:
        """Only sums that a value can give: the thresholds are crossed in their order."""
        order = np.argsort(-self.shifts.numpy())
        codes = np.full((self.precision + 1, self.precision), -1)
        for crossed in range(1, self.precision + 1):
            codes[crossed:, order[crossed - 1]] = 1
        return Levels(codes, self.scales.numpy())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision}
