"""The quantized depthwise convolution."""

from __future__ import annotations

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers._base import ClippedKernel, FittingQuantizers, OnePadding
from tfkit.layers._binary import no_kernel
from tfkit.layers._signature import keras_signature

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
@keras_signature(keras.layers.DepthwiseConv2D, "input_quantizer", "depthwise_quantizer", "pad_values")
class QuantDepthwiseConv2D(FittingQuantizers, ClippedKernel, OnePadding, larq.layers.QuantDepthwiseConv2D):
    """Depthwise 2-D convolution of quantized inputs with a quantized kernel, M filters per channel.

    y[n, i, j, c·M + m] =
        activation(bias[c·M + m] + sum_{u, v} q_d(kernel)[u, v, c, m] · pad(q_i(x))[n, s·i + u, s·j + v, c])

    Arguments are those of ``keras.layers.DepthwiseConv2D``, and:
        input_quantizer, pad_values: as in ``QuantConv2D``.
        depthwise_quantizer: applied to the kernel in the forward pass; the latent kernel is what is trained.
        depthwise_constraint: None means clipping the latent kernel to [-1, 1] when it is binary.

    Input shape: (batch, height, width, channels). Output shape: (batch, new height, new width, channels · M).

    Warns:
        NotBinaryWarning: a quantizer is binary; the layer trains as such and is stored and computed in float.
    """

    def _why_not_binary(self) -> tuple[str, str] | None:
        return no_kernel(
            self,
            "binary kernels sum over words of 32 channels, a depthwise convolution over one",
            "keep the depthwise layer int8 or float, or use QuantConv2D",
        )
