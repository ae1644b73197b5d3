"""The quantized fully connected layer."""

from __future__ import annotations

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers._base import ClippedKernel, FittingQuantizers
from tfkit.layers._binary import quantizer_mismatch
from tfkit.layers._signature import keras_signature

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
@keras_signature(keras.layers.Dense, "input_quantizer", "kernel_quantizer")
class QuantDense(FittingQuantizers, ClippedKernel, larq.layers.QuantDense):
    """Fully connected layer of quantized inputs with a quantized kernel.

    y[n, o] = activation(bias[o] + sum_c q_i(x)[n, c] · q_k(kernel)[c, o])

    A binary one becomes a binary 1x1 convolution of a map of one pixel when it is converted.

    Arguments are those of ``keras.layers.Dense``, and ``input_quantizer``, ``kernel_quantizer`` as in
    ``QuantConv2D``; ``kernel_constraint=None`` clips a binary latent kernel to [-1, 1].

    Input shape: (batch, ..., channels). Output shape: (batch, ..., units).

    Warns:
        NotBinaryWarning: the arguments look binary, but no binary kernel can run the layer.
    """

    def _why_not_binary(self) -> tuple[str, str] | None:
        return quantizer_mismatch(self)
