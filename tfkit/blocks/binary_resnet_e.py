"""The block of BinaryResNetE."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.blocks.basic import conv_bn
from tfkit.layers import QuantConv2D

keras = legacy_keras()
layers = keras.layers

# Half-width of the window in which a sign passes gradients, and latent weights stay.
_CLIP = 1.25


def binary_resnet_e_block(x: Any, filters: int, strides: int = 1, *, momentum: float = 0.9, name: str) -> Any:
    """y = shortcut(x) + BN(binary conv3x3(sign(x))): a shortcut around every convolution, no scaling factors.

    The shortcut is x itself, or 2x2 average pooling and a float 1x1 convolution where the channels change.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: Back to Simplicity, https://arxiv.org/abs/1906.08637, section 3 and 4.1.
    """
    shortcut = x
    if strides != 1:
        shortcut = layers.AveragePooling2D(strides, padding="same", name=f"{name}_shortcut_pool")(shortcut)
    if x.shape[-1] != filters:
        shortcut = conv_bn(shortcut, filters, 1, momentum=momentum, name=f"{name}_shortcut")
    y = QuantConv2D(
        filters,
        3,
        strides,
        padding="same",
        use_bias=False,
        input_quantizer=larq.quantizers.SteSign(clip_value=_CLIP),
        kernel_quantizer=larq.quantizers.SteSign(clip_value=_CLIP),
        kernel_constraint=larq.constraints.WeightClip(clip_value=_CLIP),
        kernel_initializer="glorot_normal",
        name=name,
    )(x)
    y = layers.BatchNormalization(momentum=momentum, epsilon=1e-5, name=f"{name}_bn")(y)
    return layers.Add(name=f"{name}_add")([shortcut, y])
