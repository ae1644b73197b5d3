"""The quantized transposed convolution."""

from __future__ import annotations

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers._base import ClippedKernel, FittingQuantizers
from tfkit.layers._binary import no_kernel
from tfkit.layers._signature import keras_signature

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
@keras_signature(keras.layers.Conv2DTranspose, "input_quantizer", "kernel_quantizer")
class QuantConv2DTranspose(FittingQuantizers, ClippedKernel, larq.layers.QuantConv2DTranspose):
    """Transposed 2-D convolution of quantized inputs with a quantized kernel.

    y[n, s·i + u, s·j + v, o] += q_k(kernel)[u, v, o, c] · q_i(x)[n, i, j, c], over all i, j, u, v, c; then the bias
    and the activation, and for ``padding="same"`` the rim cut off.

    Arguments are those of ``keras.layers.Conv2DTranspose``, and ``input_quantizer``, ``kernel_quantizer`` and
    ``kernel_constraint`` as in ``QuantConv2D``. There is nothing to pad, so there is no ``pad_values``.

    Input shape: (batch, height, width, channels). Output shape: (batch, new height, new width, filters).

    Warns:
        NotBinaryWarning: a quantizer is binary; the layer trains as such and is stored and computed in float.
    """

    def _why_not_binary(self) -> tuple[str, str] | None:
        return no_kernel(
            self,
            "there is no binary kernel for transposed convolutions",
            "upsample with keras.layers.UpSampling2D, then use QuantConv2D",
        )
