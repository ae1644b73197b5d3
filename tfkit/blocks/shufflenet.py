"""The blocks of ShuffleNet."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.blocks.basic import conv_bn
from tfkit.blocks.mobilenet import depthwise_bn, make_divisible

keras = legacy_keras()
layers = keras.layers


def channel_shuffle(x: Any, groups: int, *, name: str) -> Any:
    """y[..., j·groups + i] = x[..., i·n + j] with n = channels / groups; the shape stays.

    Channel j of every group goes to the j-th run of outputs, so that the next grouped convolution sees all groups.
    One group has nothing to shuffle and gets no layer.
    x: (batch, height, width, channels), height and width fixed.
    Source: ShuffleNet, https://arxiv.org/abs/1707.01083, section 3.1.

    Raises:
        ValueError: ``groups`` does not divide the channels.
    """
    height, width, channels = x.shape[1:]
    if channels % groups:
        raise ValueError(f"{groups} groups do not divide {channels} channels")
    if groups == 1:
        return x
    # Four axes with the batch: every runtime transposes those.
    x = layers.Reshape((height * width, groups, channels // groups), name=f"{name}_split")(x)
    x = layers.Permute((1, 3, 2), name=f"{name}_permute")(x)
    return layers.Reshape((height, width, channels), name=name)(x)


def shufflenet_unit(
    x: Any,
    filters: int,
    strides: int = 1,
    groups: int = 3,
    *,
    first_groups: int | None = None,
    momentum: float = 0.99,
    name: str,
) -> Any:
    """Grouped 1x1 with ReLU, channel shuffle, depthwise 3x3, grouped 1x1; then

    stride 1: relu(x + branch), where x has ``filters`` channels already;
    stride 2: concat(avg_pool3x3(x), relu(branch)) with filters - channels in the branch. For an x without
    negative values, which any ReLU before it gives, that is the ReLU after the concatenation of the paper.

    Between the 1x1 convolutions there are filters / 4 channels, rounded to a multiple of ``groups``.
    ``first_groups``: groups of the first 1x1 convolution, when they are others than ``groups``.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: ShuffleNet, https://arxiv.org/abs/1707.01083, section 3.2, figure 2 (b) and (c).

    Raises:
        ValueError: the channels do not fit the stride, or ``groups`` does not divide what it groups.
    """
    channels = x.shape[-1]
    if strides == 1 and filters != channels:
        raise ValueError(f"a unit of stride 1 keeps its channels; got {channels} and filters={filters}")
    if strides != 1 and filters <= channels:
        raise ValueError(f"a unit of stride {strides} adds channels; got {channels} and filters={filters}")
    first_groups = groups if first_groups is None else first_groups
    squeezed = make_divisible(filters / 4, groups)
    y = conv_bn(x, squeezed, 1, relu=True, groups=first_groups, momentum=momentum, name=f"{name}_squeeze")
    y = channel_shuffle(y, groups, name=f"{name}_shuffle")
    y = depthwise_bn(y, strides, momentum=momentum, name=f"{name}_depthwise")
    branch = filters if strides == 1 else filters - channels
    y = conv_bn(y, branch, 1, relu=strides != 1, groups=groups, momentum=momentum, name=f"{name}_expand")
    if strides == 1:
        y = layers.Add(name=f"{name}_add")([x, y])
        return layers.ReLU(name=f"{name}_relu")(y)
    shortcut = layers.AveragePooling2D(3, strides, padding="same", name=f"{name}_shortcut")(x)
    return layers.Concatenate(name=f"{name}_concat")([shortcut, y])
