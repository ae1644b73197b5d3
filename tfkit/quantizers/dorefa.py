"""DoReFa-Net: linear quantization of squashed weights and clipped activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._larq import larq
from tfkit.quantizers._base import ACTIVATIONS, Quantizer, checked_bits
from tfkit.quantizers._levels import Levels, of_integers, uniform
from tfkit.quantizers._names import quantizer
from tfkit.quantizers.gradients import straight_through

_BITS = range(1, 9)


@quantizer("dorefa_w{bits}", _BITS)
class DoReFaWeights(Quantizer):
    """k-bit weights in [-1, 1].

    Forward, k > 1: q = 2 · round(n · r) / n - 1, r = tanh(w) / (2 max|tanh(w)|) + 1/2, n = 2^k - 1.
    Gradient, k > 1: dL/dw = dL/dq · f' · (1 - tanh²(w)) / max|tanh(w)|, f' = 1, the maximum taken as constant.
    k = 1: q = mean(|w|) · sign(w), one scale for the layer; dL/dw = dL/dq · f', f' = 1.

    Larq's ``DoReFa`` has no case of its own for one bit and takes any number of them.

    Args:
        bits: k, 1 to 8.
        pseudo_gradient: another f' by name, of u = tanh(w) / max|tanh(w)|, and of w for one bit.

    Source: Zhou et al. 2016, https://arxiv.org/abs/1606.06160, section 2.3.
    """

    default_gradient = "identity"

    def __init__(self, bits: int = 2, **kwargs: Any) -> None:
        self.precision = checked_bits("DoReFa", bits)
        super().__init__(**kwargs)
        self.is_sign = self.precision == 1

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        if self.precision == 1:
            scale = tf.stop_gradient(tf.reduce_mean(tf.abs(x)))
            return straight_through(x, lambda w: scale * larq.math.sign(w), self._derivative)
        n = 2.0**self.precision - 1.0
        squashed = tf.tanh(x)
        top = tf.stop_gradient(tf.reduce_max(tf.abs(squashed)))
        inside = tf.math.divide_no_nan(squashed, top)
        return straight_through(inside, lambda u: 2.0 * tf.round(n * (u / 2.0 + 0.5)) / n - 1.0, self._derivative)

    def levels(self, values: Any = None) -> Levels:
        if self.precision == 1:
            return of_integers([-1, 1], abs(self._needed(values)).mean())
        n = 2**self.precision - 1
        return of_integers(np.arange(-n, n + 1, 2), 1.0 / n)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision}


@quantizer("dorefa_a{bits}", _BITS)
class DoReFaActivations(Quantizer):
    """k-bit activations in [0, 1].

    Forward: q = round(n · min(max(x, 0), 1)) / n, n = 2^k - 1.
    Gradient: dL/dx = dL/dq · f'(u), u = 2x - 1, f' = 1[|u| <= 1], that is 1 for x in [0, 1].

    Args:
        bits: k, 1 to 8.
        pseudo_gradient: another f' by name.

    Source: Zhou et al. 2016, https://arxiv.org/abs/1606.06160, section 2.4.
    """

    role = ACTIVATIONS

    def __init__(self, bits: int = 2, **kwargs: Any) -> None:
        self.precision = checked_bits("DoReFa", bits)
        super().__init__(**kwargs)

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        n = 2.0**self.precision - 1.0
        return straight_through(
            x,
            lambda v: tf.round(n * tf.clip_by_value(v, 0.0, 1.0)) / n,
            lambda v: self._derivative(2.0 * v - 1.0),
        )

    def levels(self, values: Any = None) -> Levels:
        n = 2**self.precision - 1
        return uniform(0, n, 1.0 / n)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision}
