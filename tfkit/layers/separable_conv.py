"""The quantized separable convolutions."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers._base import ClippedKernel, FittingQuantizers, OnePadding
from tfkit.layers._binary import no_kernel
from tfkit.layers._signature import keras_signature

keras = legacy_keras()

_ADDED = ("input_quantizer", "depthwise_quantizer", "pointwise_quantizer", "pad_values")


def _no_separable_kernel(layer: Any, convolution: str) -> tuple[str, str] | None:
    return no_kernel(
        layer,
        "there is no binary kernel for separable convolutions, whose pointwise half gets sums and not signs",
        f"use {convolution}, which costs less as a binary layer than a separable one in float",
    )


@keras.utils.register_keras_serializable(package="tfkit")
@keras_signature(keras.layers.SeparableConv1D, *_ADDED)
class QuantSeparableConv1D(FittingQuantizers, ClippedKernel, OnePadding, larq.layers.QuantSeparableConv1D):
    """Depthwise 1-D convolution of quantized inputs, then a pointwise one; both kernels quantized.

    z[n, t, c·M + m] = sum_u q_d(depthwise_kernel)[u, c, m] · pad(q_i(x))[n, s·t + u, c]
    y[n, t, o] = activation(bias[o] + sum_k q_p(pointwise_kernel)[0, k, o] · z[n, t, k])

    Arguments are those of ``keras.layers.SeparableConv1D``, and:
        input_quantizer, pad_values: as in ``QuantConv2D``.
        depthwise_quantizer, pointwise_quantizer: applied to the kernels in the forward pass.
        depthwise_constraint, pointwise_constraint: None means clipping a binary latent kernel to [-1, 1].

    Input shape: (batch, steps, channels). Output shape: (batch, new steps, filters).

    Warns:
        NotBinaryWarning: a quantizer is binary; the layer trains as such and is stored and computed in float.
    """

    def _why_not_binary(self) -> tuple[str, str] | None:
        return _no_separable_kernel(self, "QuantConv1D")


@keras.utils.register_keras_serializable(package="tfkit")
@keras_signature(keras.layers.SeparableConv2D, *_ADDED)
class QuantSeparableConv2D(FittingQuantizers, ClippedKernel, OnePadding, larq.layers.QuantSeparableConv2D):
    """Depthwise 2-D convolution of quantized inputs, then a pointwise one; both kernels quantized.

    z[n, i, j, c·M + m] = sum_{u, v} q_d(depthwise_kernel)[u, v, c, m] · pad(q_i(x))[n, s·i + u, s·j + v, c]
    y[n, i, j, o] = activation(bias[o] + sum_k q_p(pointwise_kernel)[0, 0, k, o] · z[n, i, j, k])

    Arguments are those of ``keras.layers.SeparableConv2D``, and the quantizers, constraints and ``pad_values`` of
    ``QuantSeparableConv1D``.

    Input shape: (batch, height, width, channels). Output shape: (batch, new height, new width, filters).

    Warns:
        NotBinaryWarning: a quantizer is binary; the layer trains as such and is stored and computed in float.
    """

    def _why_not_binary(self) -> tuple[str, str] | None:
        return _no_separable_kernel(self, "QuantConv2D")
