"""ResNet-18 and ResNet-50."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec


def create_basic(
    input_shape: tuple[int, int, int],
    classes: int,
    width: float,
    scheme: str,
    *,
    repetitions: Sequence[int],
    name: str,
) -> Any:
    """A 7x7 stem with max pooling, four stages of basic blocks with 64 to 512 channels, global pooling, dense."""
    from tfkit import blocks

    def block(x: Any, filters: int, strides: int, name: str) -> Any:
        return blocks.basic_block(x, blocks.make_divisible(filters * width), strides, name=name)

    return _network(input_shape, classes, width, repetitions, block, name)


def create_bottleneck(
    input_shape: tuple[int, int, int],
    classes: int,
    width: float,
    scheme: str,
    *,
    repetitions: Sequence[int],
    name: str,
    stride_first: bool = False,
) -> Any:
    """The same with bottleneck blocks of four times as many outputs.

    The stride is in the 3x3 convolutions ("v1.5", as the ResNet-50 that frameworks and MLPerf measure), or with
    ``stride_first`` in the first 1x1 convolutions as in the paper, which saves 6 % of the MACs.
    """
    from tfkit import blocks

    def block(x: Any, filters: int, strides: int, name: str) -> Any:
        inner = blocks.make_divisible(filters * width)
        return blocks.bottleneck_block(x, 4 * inner, inner, strides, stride_first=stride_first, name=name)

    return _network(input_shape, classes, width, repetitions, block, name)


def _network(
    input_shape: tuple[int, int, int], classes: int, width: float, repetitions: Sequence[int], block: Any, name: str
) -> Any:
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    inputs = layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, blocks.make_divisible(64 * width), 7, 2, relu=True, name="stem")
    x = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    for stage, (filters, count) in enumerate(zip((64, 128, 256, 512), repetitions, strict=True), start=1):
        for number in range(1, count + 1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = block(x, filters, strides, f"stage{stage}_block{number}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name=name)


SPECS = (
    ModelSpec(
        name="resnet18",
        summary="residual network of basic blocks; birealnet18 and binary_resnet_e18 are its binary forms",
        create=partial(create_basic, repetitions=(2, 2, 2, 2), name="resnet18"),
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=11_699_112,
        macs=1_814_073_344,
        paper="He et al. 2016, https://arxiv.org/abs/1512.03385",
        recipe="residual",
    ),
    ModelSpec(
        name="resnet50",
        summary="residual network of bottleneck blocks, stride in the 3x3 convolutions (v1.5)",
        create=partial(create_bottleneck, repetitions=(3, 4, 6, 3), name="resnet50"),
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=25_610_152,
        macs=4_089_184_256,
        paper="He et al. 2016, https://arxiv.org/abs/1512.03385",
        recipe="residual",
    ),
)
