"""The quantized 1-D convolution."""

from __future__ import annotations

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers._base import BinaryConvolution, ClippedKernel, FittingQuantizers, OnePadding
from tfkit.layers._signature import keras_signature

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
@keras_signature(keras.layers.Conv1D, "input_quantizer", "kernel_quantizer", "pad_values")
class QuantConv1D(FittingQuantizers, ClippedKernel, OnePadding, BinaryConvolution, larq.layers.QuantConv1D):
    """1-D convolution of quantized inputs with a quantized kernel.

    y[n, t, o] = activation(bias[o] + sum_{u, c} q_k(kernel)[u, c, o] · pad(q_i(x))[n, s·t + u, c])

    A binary one becomes a binary 2-D convolution of a map of height 1 with a 1xK kernel when it is converted.

    Arguments are those of ``keras.layers.Conv1D``, and ``input_quantizer``, ``kernel_quantizer``, ``pad_values``
    and ``kernel_constraint`` as in ``QuantConv2D``. ``padding="causal"`` pads with zeros in front.

    Input shape: (batch, steps, channels). Output shape: (batch, new steps, filters).

    Warns:
        NotBinaryWarning: the arguments look binary, but no binary kernel can run the layer.

    Raises:
        ValueError: causal padding with ``pad_values`` other than 0, from Larq.
    """

    def _unusual_padding(self) -> tuple[str, str] | None:
        if self.padding == "causal" and self.kernel_size[0] > 1:
            return (
                "causal padding puts zeros in front, which are no binary values",
                f"put keras.layers.ZeroPadding1D(({(self.kernel_size[0] - 1) * self.dilation_rate[0]}, 0)) in front "
                'and use padding="valid": before the input quantizer its zeros become +1',
            )
        return super()._unusual_padding()
