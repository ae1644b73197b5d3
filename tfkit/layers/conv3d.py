"""The quantized 3-D convolution."""

from __future__ import annotations

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers._base import ClippedKernel, FittingQuantizers, OnePadding
from tfkit.layers._binary import no_kernel
from tfkit.layers._signature import keras_signature

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
@keras_signature(keras.layers.Conv3D, "input_quantizer", "kernel_quantizer", "pad_values")
class QuantConv3D(FittingQuantizers, ClippedKernel, OnePadding, larq.layers.QuantConv3D):
    """3-D convolution of quantized inputs with a quantized kernel.

    y[n, i, j, k, o] = activation(bias[o] + sum_{u, v, w, c} q_k(kernel)[u, v, w, c, o] · pad(q_i(x))[n, i', j', k', c])
    with (i', j', k') = (s·i + u, s·j + v, s·k + w).

    Arguments are those of ``keras.layers.Conv3D``, and ``input_quantizer``, ``kernel_quantizer``, ``pad_values``
    and ``kernel_constraint`` as in ``QuantConv2D``.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, new depth, new height, new width, filters).

    Warns:
        NotBinaryWarning: a quantizer is binary; the layer trains as such and is stored and computed in float.
    """

    def _why_not_binary(self) -> tuple[str, str] | None:
        return no_kernel(
            self,
            "there is no binary kernel for 3-D convolutions",
            "use QuantConv2D on the slices, with depth and channels as one axis",
        )
