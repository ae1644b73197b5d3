"""Powers of two with one exponent range per layer: multiplication is a shift."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.quantizers._base import ACTIVATIONS, LearnedQuantizer, checked_bits
from tfkit.quantizers._levels import Levels, of_integers
from tfkit.quantizers._names import quantizer
from tfkit.quantizers.gradients import straight_through

_ROOT2 = float(np.sqrt(2.0))


class _Logarithmic(LearnedQuantizer):
    """What weights and activations share: ``exponents`` powers of two up to 2^``full_scale``."""

    exponents: int

    def build(self, input_shape: Any) -> None:
        self.full_scale = self.add_weight("full_scale", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        import tensorflow as tf

        return [(self.full_scale, tf.round(tf.math.log(tf.maximum(tf.reduce_max(tf.abs(x)), 1e-20)) / np.log(2.0)))]

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        highest = tf.pow(2.0, self.full_scale)
        powers = [highest * 2.0**-i for i in range(self.exponents)]
        # round(log2 |x|) steps where |x| passes the geometric mean of two powers; below the smallest one it is 0.
        edges = [power / _ROOT2 for power in powers]
        heights = [power - below for power, below in zip(powers, [*powers[1:], 0.0], strict=True)]

        def nearest(values: Any) -> Any:
            size = tf.abs(values) if self.role != ACTIVATIONS else values
            total = tf.add_n([h * tf.cast(size >= edge, tf.float32) for h, edge in zip(heights, edges, strict=True)])
            return total if self.role == ACTIVATIONS else tf.sign(values) * total

        top = highest * _ROOT2
        units = (lambda v: v / top) if self.role != ACTIVATIONS else (lambda v: 2.0 * v / top - 1.0)
        return straight_through(x, nearest, lambda v: self._derivative(units(v)))

    def levels(self, values: Any = None) -> Levels:
        powers = 2 ** np.arange(self.exponents)
        codes = [0, *powers] if self.role == ACTIVATIONS else [*-powers[::-1], 0, *powers]
        return of_integers(codes, 2.0 ** (self.full_scale.numpy() - self.exponents + 1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision}


@quantizer("log_w{bits}", range(2, 6))
class LogWeights(_Logarithmic):
    """Weights of 0 and ± powers of two: one bit for the sign, the others for the exponent.

    Forward: q = sign(w) · 2^e, e = min(round(log₂|w|), F); 0 below the smallest of the 2^(k-1) - 1 exponents.
    Gradient: dL/dw = dL/dq · f', f' = 1.

    F, the full scale, is round(log₂ max|w|) of the weights that training begins with.

    Args:
        bits: k, 2 to 5.
        pseudo_gradient: another f' by name, of u = w / 2^(F + 1/2).

    Source: Miyashita et al. 2016, https://arxiv.org/abs/1603.01025, section 3 (LogQuant with its clipping); one
    code is given to zero, so that a value takes k bits in all.
    """

    default_gradient = "identity"

    def __init__(self, bits: int = 4, **kwargs: Any) -> None:
        hint = "5 bits already span 2^14; use 'lsq_w8' for a finer grid"
        self.precision = checked_bits("Logarithmic quantization", bits, 2, 5, hint)
        self.exponents = 2 ** (bits - 1) - 1
        super().__init__(**kwargs)


@quantizer("log_a{bits}", range(1, 5))
class LogActivations(_Logarithmic):
    """Activations of 0 and powers of two; as ``LogWeights`` without sign, with 2^k - 1 exponents.

    Gradient: dL/dx = dL/dq · 1[0 <= x <= 2^(F + 1/2)]. F is that of the first batch.

    Args:
        bits: k, 1 to 4.
        pseudo_gradient: another f' by name.

    Source: Miyashita et al. 2016, https://arxiv.org/abs/1603.01025, section 3.
    """

    role = ACTIVATIONS

    def __init__(self, bits: int = 4, **kwargs: Any) -> None:
        hint = "4 bits already span 2^14; use 'lsq_a8' for a finer grid"
        self.precision = checked_bits("Logarithmic quantization", bits, 1, 4, hint)
        self.exponents = 2**bits - 1
        super().__init__(**kwargs)
