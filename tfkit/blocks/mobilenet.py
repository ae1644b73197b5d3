"""The blocks of MobileNetV1, V2 and V3."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.blocks.basic import activation, conv_bn
from tfkit.blocks.hard_swish import hard_swish
from tfkit.blocks.squeeze_excite import squeeze_excite

keras = legacy_keras()
layers = keras.layers


def make_divisible(channels: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``channels``, never less than 90 % of it.

    >>> make_divisible(32 * 0.75), make_divisible(16 * 0.35), make_divisible(12)
    (24, 8, 16)

    Source: MobileNetV2's reference implementation.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * channels else rounded + divisor


def depthwise_separable(
    x: Any, filters: int, strides: int = 1, *, relu: float | bool = 6.0, momentum: float = 0.99, name: str
) -> Any:
    """A depthwise 3x3 and a pointwise 1x1 convolution, each with batch normalization and ReLU.

    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: MobileNets, https://arxiv.org/abs/1704.04861, section 3.1, figure 3.
    """
    x = depthwise_bn(x, strides, relu=relu, momentum=momentum, name=f"{name}_depthwise")
    return conv_bn(x, filters, 1, relu=relu, momentum=momentum, name=f"{name}_pointwise")


def inverted_residual(
    x: Any, filters: int, strides: int = 1, expansion: int = 6, *, momentum: float = 0.99, name: str
) -> Any:
    """Expand 1x1, filter depthwise 3x3, project 1x1 without activation; with a shortcut where shapes agree.

    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: MobileNetV2, https://arxiv.org/abs/1801.04381, section 3.3, table 1.
    """
    channels = x.shape[-1]
    y = x
    if expansion != 1:
        y = conv_bn(y, expansion * channels, 1, relu=6.0, momentum=momentum, name=f"{name}_expand")
    y = depthwise_bn(y, strides, relu=6.0, momentum=momentum, name=f"{name}_depthwise")
    y = conv_bn(y, filters, 1, momentum=momentum, name=f"{name}_project")
    return layers.Add(name=f"{name}_add")([x, y]) if strides == 1 and channels == filters else y


def mobilenet_v3_block(
    x: Any,
    filters: int,
    strides: int = 1,
    expanded: int | None = None,
    *,
    kernel_size: int = 3,
    squeeze: bool = False,
    hard: bool = True,
    momentum: float = 0.99,
    name: str,
) -> Any:
    """An inverted residual with hard-swish (``hard``) or ReLU, and squeeze-and-excite (``squeeze``) before it projects.

    ``expanded``: channels between the 1x1 convolutions; None leaves the first one out. The squeeze has a
    quarter of them, and a hard-sigmoid gate.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: MobileNetV3, https://arxiv.org/abs/1905.02244, section 3 (figure 4) and 5.3.
    """
    channels = x.shape[-1]
    y = x
    if expanded is not None:
        y = conv_bn(y, expanded, 1, relu=not hard, momentum=momentum, name=f"{name}_expand")
        y = hard_swish(y, name=f"{name}_expand_hswish") if hard else y
    y = depthwise_bn(y, strides, kernel_size=kernel_size, relu=not hard, momentum=momentum, name=f"{name}_depthwise")
    y = hard_swish(y, name=f"{name}_depthwise_hswish") if hard else y
    if squeeze:
        y = squeeze_excite(y, make_divisible(y.shape[-1] / 4), gate="hard_sigmoid", name=f"{name}_se")
    y = conv_bn(y, filters, 1, momentum=momentum, name=f"{name}_project")
    return layers.Add(name=f"{name}_add")([x, y]) if strides == 1 and channels == filters else y


def depthwise_bn(
    x: Any,
    strides: int = 1,
    *,
    kernel_size: int = 3,
    relu: float | bool = False,
    affine: bool = True,
    momentum: float = 0.99,
    name: str,
) -> Any:
    """y = act(BN(depthwise(x))), padding "same"; ``affine`` False normalizes without scale and offset.

    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, channels).
    """
    x = layers.DepthwiseConv2D(
        kernel_size, strides, padding="same", use_bias=False, depthwise_initializer="he_normal", name=name
    )(x)
    x = layers.BatchNormalization(momentum=momentum, center=affine, scale=affine, name=f"{name}_bn")(x)
    return activation(x, relu, name)
