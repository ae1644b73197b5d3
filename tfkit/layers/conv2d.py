"""The quantized 2-D convolution."""

from __future__ import annotations

from typing import Any

import larq

from tfkit._keras import legacy_keras
from tfkit.layers._base import ClippedKernel, OnePadding
from tfkit.layers._binary import is_binary, quantizer_mismatch, warn_not_binary

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class QuantConv2D(ClippedKernel, OnePadding, larq.layers.QuantConv2D):
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

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | tuple[int, int] = (1, 1),
        groups: int = 1,
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
        pad_values: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            groups=groups,
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
            pad_values=pad_values,
            **kwargs,
        )
        warn_not_binary(self, quantizer_mismatch(self) or self._unusual_padding())

    @property
    def _binary(self) -> bool:
        return is_binary(self.input_quantizer) and is_binary(self.kernel_quantizer)

    def _unusual_padding(self) -> tuple[str, str] | None:
        if self._binary and self.padding == "same" and self.pad_values not in (0.0, 1.0):
            return f"pad_values is {self.pad_values:g}", "binary kernels pad with 1 (the default) or 0"
        return None

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        channels = int(self.kernel.shape[2])  # per group
        if self._binary and self.groups > 1 and channels % 32:
            why = f"it has {channels} input channels per group", "grouped binary kernels take a multiple of 32"
            warn_not_binary(self, why)
