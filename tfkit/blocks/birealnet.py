"""The residual block of Bi-Real Net."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.layers import QuantConv2D

keras = legacy_keras()
layers = keras.layers


def bireal_block(x: Any, filters: int, strides: int = 1, *, momentum: float = 0.8, name: str) -> Any:
    """y = shortcut(x) + BN(binary conv3x3(sign(x))): one real-valued shortcut around every binary convolution.

    The shortcut is x itself, or average pooling and a float 1x1 convolution where the shape changes.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: Bi-Real Net, https://arxiv.org/abs/1808.00278, section 3.2 (blocks) and 3.3 (gradients).
    """
    shortcut = x
    if strides != 1:
        shortcut = layers.AveragePooling2D(strides, padding="same", name=f"{name}_shortcut_pool")(shortcut)
    if x.shape[-1] != filters:
        shortcut = layers.Conv2D(
            filters, 1, use_bias=False, kernel_initializer="glorot_normal", name=f"{name}_shortcut"
        )(shortcut)
        shortcut = layers.BatchNormalization(momentum=momentum, name=f"{name}_shortcut_bn")(shortcut)
    y = QuantConv2D(
        filters,
        3,
        strides,
        padding="same",
        use_bias=False,
        input_quantizer="approx_sign",
        kernel_quantizer="magnitude_aware_sign",
        kernel_initializer="glorot_normal",
        name=name,
    )(x)
    y = layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(y)
    return layers.Add(name=f"{name}_add")([shortcut, y])
