"""Convolution with batch normalization, and the float twin of a binary residual block."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras

keras = legacy_keras()
layers = keras.layers


def conv_bn(
    x: Any,
    filters: int,
    kernel_size: int | tuple[int, int] = 3,
    strides: int = 1,
    *,
    relu: float | bool = False,
    groups: int = 1,
    padding: str = "same",
    momentum: float = 0.99,
    name: str,
) -> Any:
    """y = act(BN(conv(x))), no bias: the normalization has one.

    ``relu``: False, True, or the value at which it saturates (6.0 for relu6). ``groups``: of the convolution.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters); ``padding``
    "valid" leaves out the border.
    """
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding=padding,
        groups=groups,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    x = layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(x)
    return activation(x, relu, name)


def activation(x: Any, relu: float | bool, name: str) -> Any:
    """A ReLU layer, saturating where ``relu`` is a number, or nothing."""
    if relu is False:
        return x
    return layers.ReLU(None if relu is True else float(relu), name=f"{name}_relu")(x)


def float_residual(x: Any, *, momentum: float = 0.99, name: str) -> Any:
    """y = x + relu(BN(conv3x3(x))): the block of ``quicknet_block`` in float; the shape stays.

    x: (batch, height, width, channels).
    """
    y = conv_bn(x, x.shape[-1], relu=True, momentum=momentum, name=name)
    return layers.Add(name=f"{name}_add")([x, y])
