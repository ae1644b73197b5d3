"""Inception modules: GoogLeNet's, and the factorised ones of Inception v2 and v3.

Every convolution is followed by batch normalization and ReLU; the branches are concatenated along the channels.
"""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.blocks.basic import conv_bn

keras = legacy_keras()
layers = keras.layers


def inception_module(
    x: Any,
    one: int,
    three_reduce: int,
    three: int,
    five_reduce: int,
    five: int,
    pool: int,
    *,
    momentum: float = 0.99,
    name: str,
) -> Any:
    """y = [conv1x1(x), conv3x3(conv1x1(x)), conv5x5(conv1x1(x)), conv1x1(maxpool3x3(x))]; arguments are channels.

    x: (batch, height, width, channels) -> (batch, height, width, one + three + five + pool).
    Source: Going deeper with convolutions, https://arxiv.org/abs/1409.4842, figure 2b; the channels are the
    columns of its table 1.
    """
    branches = [
        _conv(x, one, 1, momentum, f"{name}_1x1"),
        _conv(_conv(x, three_reduce, 1, momentum, f"{name}_3x3_reduce"), three, 3, momentum, f"{name}_3x3"),
        _conv(_conv(x, five_reduce, 1, momentum, f"{name}_5x5_reduce"), five, 5, momentum, f"{name}_5x5"),
        _conv(_max(x, name), pool, 1, momentum, f"{name}_pool_project"),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def double_conv(x: Any, inner: int, filters: int, *, momentum: float = 0.99, name: str) -> Any:
    """y = conv3x3(conv3x3(x)): what a 5x5 convolution sees, for 18/25 of its MACs at equal channels.

    x: (batch, height, width, channels) -> (batch, height, width, filters).
    Source: Rethinking the Inception architecture, https://arxiv.org/abs/1512.00567, section 3.1, figure 1.
    """
    x = _conv(x, inner, 3, momentum, f"{name}_a")
    return _conv(x, filters, 3, momentum, f"{name}_b")


def factorized_conv(x: Any, inner: int, filters: int, size: int, *, momentum: float = 0.99, name: str) -> Any:
    """y = conv(size x 1)(conv(1 x size)(x)): what a size x size convolution sees, for 2/size of its MACs.

    x: (batch, height, width, channels) -> (batch, height, width, filters).
    Source: Rethinking the Inception architecture, https://arxiv.org/abs/1512.00567, section 3.2, figure 3.
    """
    x = _conv(x, inner, (1, size), momentum, f"{name}_1x{size}")
    return _conv(x, filters, (size, 1), momentum, f"{name}_{size}x1")


def inception_double(
    x: Any,
    one: int,
    three_reduce: int,
    three: int,
    five_reduce: int,
    five: int,
    pool: int,
    *,
    momentum: float = 0.99,
    name: str,
) -> Any:
    """The Inception module with two 3x3 convolutions for the 5x5, and average instead of max pooling.

    x: (batch, height, width, channels) -> (batch, height, width, one + three + five + pool).
    Source: Rethinking the Inception architecture, https://arxiv.org/abs/1512.00567, figure 5; the average
    pooling is Inception v3's (the figure says "Pool").
    """
    five_branch = _conv(x, five_reduce, 1, momentum, f"{name}_5x5_reduce")
    branches = [
        _conv(x, one, 1, momentum, f"{name}_1x1"),
        _conv(_conv(x, three_reduce, 1, momentum, f"{name}_3x3_reduce"), three, 3, momentum, f"{name}_3x3"),
        double_conv(five_branch, five, five, momentum=momentum, name=f"{name}_5x5"),
        _conv(_average(x, name), pool, 1, momentum, f"{name}_pool_project"),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def inception_factorized(x: Any, filters: int, inner: int, size: int = 7, *, momentum: float = 0.99, name: str) -> Any:
    """Four branches of ``filters`` channels: 1x1; 1x1, 1xn, nx1; 1x1, nx1, 1xn, nx1, 1xn; average pooling, 1x1.

    ``inner`` is the number of channels between the convolutions of the branches, ``size`` is n.
    x: (batch, height, width, channels) -> (batch, height, width, 4 · filters).
    Source: Rethinking the Inception architecture, https://arxiv.org/abs/1512.00567, figure 6, n = 7.
    """
    once = _conv(x, inner, 1, momentum, f"{name}_once_reduce")
    twice = _conv(x, inner, 1, momentum, f"{name}_twice_reduce")
    twice = _conv(twice, inner, (size, 1), momentum, f"{name}_twice_a_{size}x1")
    twice = _conv(twice, inner, (1, size), momentum, f"{name}_twice_a_1x{size}")
    twice = _conv(twice, inner, (size, 1), momentum, f"{name}_twice_b_{size}x1")
    branches = [
        _conv(x, filters, 1, momentum, f"{name}_1x1"),
        factorized_conv(once, inner, filters, size, momentum=momentum, name=f"{name}_once"),
        _conv(twice, filters, (1, size), momentum, f"{name}_twice_b_1x{size}"),
        _conv(_average(x, name), filters, 1, momentum, f"{name}_pool_project"),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def inception_expanded(
    x: Any,
    one: int,
    three_reduce: int,
    five_reduce: int,
    wide: int,
    pool: int,
    *,
    momentum: float = 0.99,
    name: str,
) -> Any:
    """Branches that end in a 1x3 and a 3x1 convolution side by side: 1x1; 1x1; 1x1, 3x3; and pooling, 1x1.

    ``wide`` is the number of channels of each of the four 1x3 and 3x1 convolutions and of the 3x3 before two of them.
    x: (batch, height, width, channels) -> (batch, height, width, one + 4 · wide + pool).
    Source: Rethinking the Inception architecture, https://arxiv.org/abs/1512.00567, figure 7.
    """
    three = _conv(x, three_reduce, 1, momentum, f"{name}_3x3_reduce")
    five = _conv(x, five_reduce, 1, momentum, f"{name}_5x5_reduce")
    five = _conv(five, wide, 3, momentum, f"{name}_5x5")
    branches = [
        _conv(x, one, 1, momentum, f"{name}_1x1"),
        _conv(three, wide, (1, 3), momentum, f"{name}_3x3_1x3"),
        _conv(three, wide, (3, 1), momentum, f"{name}_3x3_3x1"),
        _conv(five, wide, (1, 3), momentum, f"{name}_5x5_1x3"),
        _conv(five, wide, (3, 1), momentum, f"{name}_5x5_3x1"),
        _conv(_average(x, name), pool, 1, momentum, f"{name}_pool_project"),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def _conv(x: Any, filters: int, kernel_size: int | tuple[int, int], momentum: float, name: str) -> Any:
    return conv_bn(x, filters, kernel_size, relu=True, momentum=momentum, name=name)


def _max(x: Any, name: str) -> Any:
    return layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x)


def _average(x: Any, name: str) -> Any:
    return layers.AveragePooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
