"""The quantized fully connected layer."""

from __future__ import annotations

from typing import Any

import larq

from tfkit._keras import legacy_keras
from tfkit.layers._base import ClippedKernel
from tfkit.layers._binary import is_binary, quantizer_mismatch, warn_not_binary

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class QuantDense(ClippedKernel, larq.layers.QuantDense):
    """Fully connected layer of quantized inputs with a quantized kernel.

    y[n, o] = activation(bias[o] + sum_c q_i(x)[n, c] · q_k(kernel)[c, o])

    Arguments are those of ``keras.layers.Dense``, and ``input_quantizer``, ``kernel_quantizer`` as in
    ``QuantConv2D``; ``kernel_constraint=None`` clips a binary latent kernel to [-1, 1].

    Input shape: (batch, ..., channels). Output shape: (batch, ..., units).

    Warns:
        NotBinaryWarning: a binary dense layer trains as such, but no binary kernel runs it after conversion.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        input_quantizer: Any = None,
        kernel_quantizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            input_quantizer=input_quantizer,
            kernel_quantizer=kernel_quantizer,
            **kwargs,
        )
        warn_not_binary(self, quantizer_mismatch(self) or self._no_kernel())

    def _no_kernel(self) -> tuple[str, str] | None:
        if is_binary(self.input_quantizer) and is_binary(self.kernel_quantizer):
            return (
                "there is no binary kernel for dense layers",
                "use a 1x1 QuantConv2D on an input of shape (1, 1, channels) instead",
            )
        return None
