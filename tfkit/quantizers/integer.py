"""Integer weights with a scale per channel, as integer kernels of TensorFlow Lite read them."""

from __future__ import annotations

from typing import Any

from tfkit.quantizers._base import Quantizer, channel_axes, checked_bits
from tfkit.quantizers._levels import Levels, uniform
from tfkit.quantizers._names import alias, quantizer
from tfkit.quantizers.gradients import straight_through


@quantizer("int_w{bits}", range(2, 9))
class IntegerWeights(Quantizer):
    """k-bit integers, symmetric, with one scale per output channel; "int4" is the same as "int_w4".

    Forward: q = s · round(w / s), s_c = max|w| of channel c / (2^(k-1) - 1), integers in ±(2^(k-1) - 1).
    Gradient: dL/dw = dL/dq · f'(u), u = w / max|w| of the channel, f' = 1[|u| <= 1], which is 1 for every weight.

    Args:
        bits: k, 2 to 8. Whole networks in int8 are ``tfkit.quantize_aware``'s.
        axis: the axis of the output channels.
        pseudo_gradient: another f' by name.

    Source: Jacob et al. 2018, https://arxiv.org/abs/1712.05877, section 3; symmetric and per channel as in
    TensorFlow Lite's specification of quantized weights.
    """

    def __init__(self, bits: int = 4, axis: int = -1, **kwargs: Any) -> None:
        hint = "one bit is a sign: 'ste_sign' or 'xnor_weights'" if bits == 1 else ""
        self.precision = checked_bits("IntegerWeights", bits, 2, 8, hint)
        self.axis = axis
        super().__init__(**kwargs)

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        most = 2.0 ** (self.precision - 1) - 1.0
        top = tf.stop_gradient(tf.reduce_max(tf.abs(x), channel_axes(x, self.axis), keepdims=True))
        scale = tf.maximum(top, 1e-30) / most
        return straight_through(
            x,
            lambda w: scale * tf.clip_by_value(tf.round(w / scale), -most, most),
            lambda w: self._derivative(tf.math.divide_no_nan(w, top)),
        )

    def levels(self, values: Any = None) -> Levels:
        kernel = self._needed(values)
        most = 2 ** (self.precision - 1) - 1
        return uniform(-most, most, abs(kernel).max(tuple(channel_axes(kernel, self.axis))) / most)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision, "axis": self.axis}


alias("int4", IntegerWeights, bits=4)
