"""The blocks of DenseNet-BC."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.blocks.residual import normalized_relu

keras = legacy_keras()
layers = keras.layers


def densenet_layer(x: Any, growth: int, *, dropout: float = 0.0, momentum: float = 0.99, name: str) -> Any:
    """y = [x, conv3x3(r(conv1x1(r(x))))], r(z) = relu(BN(z)): the bottleneck has 4 · growth channels.

    ``dropout`` is the share of the new channels' values that are dropped while training; 0 adds no layer.
    x: (batch, height, width, channels) -> (batch, height, width, channels + growth).
    Source: DenseNet, https://arxiv.org/abs/1608.06993, section 3, "Bottleneck layers".
    """
    y = normalized_relu(x, momentum=momentum, name=f"{name}_bottleneck")
    y = _conv(y, 4 * growth, 1, f"{name}_bottleneck")
    y = normalized_relu(y, momentum=momentum, name=f"{name}_conv")
    y = _conv(y, growth, 3, f"{name}_conv")
    if dropout:
        y = layers.Dropout(dropout, name=f"{name}_dropout")(y)
    return layers.Concatenate(name=f"{name}_concat")([x, y])


def densenet_transition(x: Any, compression: float = 0.5, *, momentum: float = 0.99, name: str) -> Any:
    """y = averagepool2x2(conv1x1(relu(BN(x)))) with floor(compression · channels) channels.

    x: (batch, height, width, channels) -> (batch, height / 2, width / 2, floor(compression · channels)).
    Source: DenseNet, https://arxiv.org/abs/1608.06993, section 3, "Pooling layers" and "Compression".
    """
    filters = int(x.shape[-1] * compression)
    x = normalized_relu(x, momentum=momentum, name=name)
    x = _conv(x, filters, 1, name)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def _conv(x: Any, filters: int, kernel_size: int, name: str) -> Any:
    return layers.Conv2D(
        filters, kernel_size, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
