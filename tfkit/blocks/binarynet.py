"""The layers of BinaryNet: binary convolutions and binary dense layers without shortcuts."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.layers import QuantConv2D, QuantDense

keras = legacy_keras()
layers = keras.layers

_BINARY: dict[str, Any] = {
    "use_bias": False,
    "input_quantizer": "ste_sign",
    "kernel_quantizer": "ste_sign",
    "kernel_constraint": "weight_clip",
    "kernel_initializer": "glorot_normal",
}


def binary_conv_bn(
    x: Any, filters: int, kernel_size: int = 3, *, padding: str = "same", momentum: float = 0.9, name: str
) -> Any:
    """y = BN(binary conv(sign(x))): a threshold for the sign of the next layer.

    x: (batch, height, width, channels) -> (batch, height, width, filters), less a border with ``padding`` "valid".
    Source: Binarized neural networks, https://arxiv.org/abs/1602.02830, section 1.2 and algorithm 1.
    """
    x = QuantConv2D(filters, kernel_size, padding=padding, name=name, **_BINARY)(x)
    return layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(x)


def binary_dense_bn(x: Any, units: int, *, momentum: float = 0.9, name: str) -> Any:
    """y = BN(sign(x) · sign(W)).

    x: (batch, features) -> (batch, units). Source: as ``binary_conv_bn``.
    """
    x = QuantDense(units, name=name, **_BINARY)(x)
    return layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(x)
