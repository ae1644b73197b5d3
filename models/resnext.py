"""ResNeXt-29 for CIFAR."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

_CARDINALITY = 8
_GROUP_WIDTH = 64
_MOMENTUM = 0.9


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A 3x3 stem of 64 channels, three stages of three grouped bottlenecks, global average pooling, dense.

    The 3x3 convolutions have 8 groups of 64, 128 and 256 channels, the blocks 256, 512 and 1024 outputs.
    ``width`` scales stem, groups and outputs; the number of groups stays.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    inputs = layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, blocks.make_divisible(64 * width), relu=True, momentum=_MOMENTUM, name="stem")
    for stage, factor in enumerate((1, 2, 4), start=1):
        filters = blocks.make_divisible(256 * factor * width)
        inner = _CARDINALITY * blocks.make_divisible(_GROUP_WIDTH * factor * width)
        for number in (1, 2, 3):
            strides = 2 if stage > 1 and number == 1 else 1
            x = blocks.bottleneck_block(
                x,
                filters,
                inner,
                strides,
                groups=_CARDINALITY,
                momentum=_MOMENTUM,
                name=f"stage{stage}_block{number}",
            )
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="resnext29_8x64")


SPECS = (
    ModelSpec(
        name="resnext29_8x64",
        summary="residual network of grouped bottlenecks: 8 groups of 64 channels",
        create=create,
        input_shape=(32, 32, 3),
        classes=10,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=34_484_170,
        macs=5_387_266_048,
        paper="Xie et al. 2017, https://arxiv.org/abs/1611.05431",
        recipe="residual",
    ),
)
