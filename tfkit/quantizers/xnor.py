"""XNOR-Net: signs times the scales that approximate the real values best."""

from __future__ import annotations

from typing import Any

from tfkit._larq import larq
from tfkit.quantizers._base import ACTIVATIONS, Quantizer, channel_axes
from tfkit.quantizers._levels import Levels, of_integers
from tfkit.quantizers._names import quantizer
from tfkit.quantizers.gradients import straight_through


@quantizer("xnor_weights")
class XnorWeights(Quantizer):
    """Signs of the weights times one scale per output channel.

    Forward: q = α · sign(w), α_c = (1/n) Σ |w| over the n weights of channel c, which minimizes |w - α b|².
    Gradient: dL/dw_i = dL/dq_i · (1/n + α · f'(w_i)), f' = 1[|w| <= 1].

    Args:
        axis: the axis of the output channels.
        pseudo_gradient: another f' by name.

    Source: Rastegari et al. 2016, https://arxiv.org/abs/1603.05279, section 3.1 (scale, and the gradient under
    "Training Binary-Weights-Networks").
    """

    precision = 1
    is_sign = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        self.axis = axis
        super().__init__(**kwargs)

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        axes = channel_axes(x, self.axis)
        scale = tf.stop_gradient(tf.reduce_mean(tf.abs(x), axes, keepdims=True))
        count = tf.cast(tf.size(x) / tf.size(scale), tf.float32)
        return straight_through(
            x, lambda w: scale * larq.math.sign(w), lambda w: 1.0 / count + scale * self._derivative(w)
        )

    def levels(self, values: Any = None) -> Levels:
        kernel = self._needed(values)
        return of_integers([-1, 1], abs(kernel).mean(tuple(channel_axes(kernel, self.axis))))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@quantizer("xnor_activations")
class XnorActivations(Quantizer):
    """Signs of the activations times one scale per place of the map.

    Forward: q[n, i, j, c] = A[n, i, j] · sign(x[n, i, j, c]), A = mean of |x| over the channels.
    Gradient: dL/dx = dL/dq · A · 1[|x| <= 1], with A taken as constant.

    The paper averages A over the window of the convolution and multiplies its result by that; before a 1x1 convolution
    and a dense layer the two are the same. The scale depends on the data, so ``levels`` gives its unit, 1.

    Source: Rastegari et al. 2016, https://arxiv.org/abs/1603.05279, section 3.2.
    """

    role = ACTIVATIONS
    precision = 1

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        scale = tf.stop_gradient(tf.reduce_mean(tf.abs(x), -1, keepdims=True))
        return scale * straight_through(x, larq.math.sign, self._derivative)

    def levels(self, values: Any = None) -> Levels:
        return of_integers([-1, 1], 1.0)
