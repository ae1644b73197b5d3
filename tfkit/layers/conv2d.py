"""The quantized 2-D convolution."""

from __future__ import annotations

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers._base import BinaryConvolution, ClippedKernel, FittingQuantizers, OnePadding
from tfkit.layers._signature import keras_signature

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
@keras_signature(keras.layers.Conv2D, "input_quantizer", "kernel_quantizer", "pad_values")
class QuantConv2D(FittingQuantizers, ClippedKernel, OnePadding, BinaryConvolution, larq.layers.QuantConv2D):
    """2-D convolution of quantized inputs with a quantized kernel.

    y[n, i, j, o] = activation(bias[o] + sum_{u, v, c} q_k(kernel)[u, v, c, o] · pad(q_i(x))[n, s·i + u, s·j + v, c])

    The padding comes after ``input_quantizer``, so a ``pad_values`` of 1 stays a binary value.

    Arguments are those of ``keras.layers.Conv2D``, and:
        input_quantizer: applied to the inputs; a Larq alias ("ste_sign", "approx_sign", ...), object or function.
        kernel_quantizer: applied to the kernel in the forward pass; the latent kernel is what is trained.
        pad_values: the value around the input for ``padding="same"``. None means 1 when both quantizers
            are binary and 0 otherwise.
        kernel_constraint: None means clipping the latent kernel to [-1, 1] when it is binary.

    Input shape: (batch, height, width, channels). Output shape: (batch, new height, new width, filters).

    Warns:
        NotBinaryWarning: the arguments look binary, but no binary kernel can run the layer.

    Source: Larq, https://docs.larq.dev/larq/api/layers/; BNN, https://arxiv.org/abs/1602.02830, algorithm 1.
    """
