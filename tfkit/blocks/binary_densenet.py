"""The blocks of BinaryDenseNet."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers import QuantConv2D

keras = legacy_keras()
layers = keras.layers

# Half-width of the window in which a sign passes gradients, and latent weights stay.
_CLIP = 1.3


def binary_dense_layer(x: Any, growth: int = 64, *, dilation: int = 1, momentum: float = 0.9, name: str) -> Any:
    """y = concat(x, binary conv3x3(sign(BN(x)))): no bottleneck, and ``growth`` channels more.

    x: (batch, height, width, channels) -> (batch, height, width, channels + growth).
    Source: Back to Simplicity, https://arxiv.org/abs/1906.08637, section 3 and 4.2.
    """
    y = layers.BatchNormalization(momentum=momentum, epsilon=1e-5, name=f"{name}_bn")(x)
    y = QuantConv2D(
        growth,
        3,
        padding="same",
        dilation_rate=dilation,
        use_bias=False,
        input_quantizer=larq.quantizers.SteSign(clip_value=_CLIP),
        kernel_quantizer=larq.quantizers.SteSign(clip_value=_CLIP),
        kernel_constraint=larq.constraints.WeightClip(clip_value=_CLIP),
        kernel_initializer="glorot_normal",
        name=name,
    )(y)
    return layers.Concatenate(name=f"{name}_concat")([x, y])


def binary_dense_transition(x: Any, filters: int, *, momentum: float = 0.9, name: str) -> Any:
    """y = conv1x1(relu(max_pool2x2(BN(x)))) in float: halve height and width, reduce the channels to ``filters``.

    x: (batch, height, width, channels) -> (batch, height / 2, width / 2, filters).
    Source: Back to Simplicity, https://arxiv.org/abs/1906.08637, section 4.2, figure 4.
    """
    x = layers.BatchNormalization(momentum=momentum, epsilon=1e-5, name=f"{name}_bn")(x)
    x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    return layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal", name=name)(x)
