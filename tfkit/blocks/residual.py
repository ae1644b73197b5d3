"""Residual blocks: ResNet's basic and bottleneck, ResNeXt's grouped bottleneck, the pre-activated ones of WRN."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.blocks.basic import conv_bn

keras = legacy_keras()
layers = keras.layers


def basic_block(x: Any, filters: int, strides: int = 1, *, momentum: float = 0.99, name: str) -> Any:
    """y = relu(shortcut(x) + BN(conv3x3(relu(BN(conv3x3(x)))))); the first convolution has the stride.

    The shortcut is x itself, or a 1x1 convolution with normalization where the shape changes (option B).
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: ResNet, https://arxiv.org/abs/1512.03385, section 3.3 and figure 5 left.
    """
    shortcut = _projection(x, filters, strides, momentum, name)
    y = conv_bn(x, filters, 3, strides, relu=True, momentum=momentum, name=f"{name}_conv1")
    y = conv_bn(y, filters, 3, momentum=momentum, name=f"{name}_conv2")
    y = layers.Add(name=f"{name}_add")([shortcut, y])
    return layers.ReLU(name=f"{name}_relu")(y)


def bottleneck_block(
    x: Any,
    filters: int,
    inner: int,
    strides: int = 1,
    *,
    groups: int = 1,
    stride_first: bool = False,
    momentum: float = 0.99,
    name: str,
) -> Any:
    """y = relu(shortcut(x) + BN(conv1x1(F(x)))), F a 1x1 and a 3x3 convolution to ``inner`` channels with BN and ReLU.

    The stride is in the 3x3 convolution, as in ResNet's later implementations ("v1.5") and in ResNeXt;
    ``stride_first`` puts it into the first 1x1 convolution, as in the paper. ``groups`` > 1 is ResNeXt's block:
    as many paths of ``inner / groups`` channels each, written as one grouped 3x3 convolution.
    The shortcut is that of ``basic_block``.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: ResNet, https://arxiv.org/abs/1512.03385, figure 5 right; ResNeXt, https://arxiv.org/abs/1611.05431,
    figure 3c.
    """
    shortcut = _projection(x, filters, strides, momentum, name)
    first, second = (strides, 1) if stride_first else (1, strides)
    y = conv_bn(x, inner, 1, first, relu=True, momentum=momentum, name=f"{name}_reduce")
    y = conv_bn(y, inner, 3, second, relu=True, groups=groups, momentum=momentum, name=f"{name}_conv")
    y = conv_bn(y, filters, 1, momentum=momentum, name=f"{name}_expand")
    y = layers.Add(name=f"{name}_add")([shortcut, y])
    return layers.ReLU(name=f"{name}_relu")(y)


def preactivated_basic_block(
    x: Any, filters: int, strides: int = 1, *, dropout: float = 0.0, momentum: float = 0.99, name: str
) -> Any:
    """y = shortcut(x) + conv3x3(dropout(relu(BN(conv3x3(a))))), a = relu(BN(x)).

    The shortcut is x itself, or a 1x1 convolution of a where the shape changes. ``dropout`` is the share of
    values that are dropped between the convolutions while training; 0 adds no layer.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: Wide residual networks, https://arxiv.org/abs/1605.07146, section 2 and figure 1(a, d).
    """
    activated = normalized_relu(x, momentum=momentum, name=f"{name}_conv1")
    shortcut = _preactivated_shortcut(x, activated, filters, strides, name)
    y = _conv(activated, filters, 3, strides, name=f"{name}_conv1")
    y = normalized_relu(y, momentum=momentum, name=f"{name}_conv2")
    if dropout:
        y = layers.Dropout(dropout, name=f"{name}_dropout")(y)
    y = _conv(y, filters, 3, name=f"{name}_conv2")
    return layers.Add(name=f"{name}_add")([shortcut, y])


def preactivated_bottleneck_block(
    x: Any, filters: int, inner: int, strides: int = 1, *, momentum: float = 0.99, name: str
) -> Any:
    """y = shortcut(x) + conv1x1(r(conv3x3(r(conv1x1(a))))), r(z) = relu(BN(z)), a = r(x).

    The stride is in the 3x3 convolution; the shortcut is that of ``preactivated_basic_block``.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: Identity mappings in deep residual networks, https://arxiv.org/abs/1603.05027, section 4.1, figure 1b.
    """
    activated = normalized_relu(x, momentum=momentum, name=f"{name}_reduce")
    shortcut = _preactivated_shortcut(x, activated, filters, strides, name)
    y = _conv(activated, inner, 1, name=f"{name}_reduce")
    y = normalized_relu(y, momentum=momentum, name=f"{name}_conv")
    y = _conv(y, inner, 3, strides, name=f"{name}_conv")
    y = normalized_relu(y, momentum=momentum, name=f"{name}_expand")
    y = _conv(y, filters, 1, name=f"{name}_expand")
    return layers.Add(name=f"{name}_add")([shortcut, y])


def normalized_relu(x: Any, *, momentum: float = 0.99, name: str) -> Any:
    """y = relu(BN(x)), the activation that stands before the convolution called ``name``; the shape stays."""
    x = layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _projection(x: Any, filters: int, strides: int, momentum: float, name: str) -> Any:
    if strides == 1 and x.shape[-1] == filters:
        return x
    return conv_bn(x, filters, 1, strides, momentum=momentum, name=f"{name}_shortcut")


def _preactivated_shortcut(x: Any, activated: Any, filters: int, strides: int, name: str) -> Any:
    if strides == 1 and x.shape[-1] == filters:
        return x
    return _conv(activated, filters, 1, strides, name=f"{name}_shortcut")


def _conv(x: Any, filters: int, kernel_size: int, strides: int = 1, *, name: str) -> Any:
    return layers.Conv2D(
        filters, kernel_size, strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
