"""EfficientNet-B0 and EfficientNet-Lite0."""

from __future__ import annotations

from functools import partial
from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# (expansion, kernel, filters, repetitions, stride of the first): table 1 of the paper.
_STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str, *, lite: bool) -> Any:
    """A 3x3 stem, 16 mobile inverted bottlenecks in seven stages, a 1x1 convolution, global pooling, dense.

    Lite0 has relu6 in place of swish, no squeeze-and-excite, and a stem and head that do not scale with the width.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras
    from tfkit.blocks.efficientnet import swish

    keras = legacy_keras()

    def convolution(x: Any, channels: int, size: int, strides: int, name: str) -> Any:
        filters = channels if lite else blocks.make_divisible(channels * width)
        x = blocks.conv_bn(x, filters, size, strides, relu=lite and 6.0, name=name)
        return x if lite else swish(x, name=name)

    inputs = keras.layers.Input(input_shape, name="image")
    x = convolution(inputs, 32, 3, 2, "stem")
    number = 0
    for expansion, kernel_size, channels, repetitions, stride in _STAGES:
        filters = blocks.make_divisible(channels * width)
        for repetition in range(repetitions):
            number += 1
            x = blocks.mbconv(
                x,
                filters,
                stride if repetition == 0 else 1,
                expansion,
                kernel_size=kernel_size,
                lite=lite,
                name=f"block{number}",
            )
    x = convolution(x, 1280, 1, 1, "head")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="efficientnet_lite0" if lite else "efficientnet_b0")


def _spec(name: str, summary: str, lite: bool, params: int, macs: int, paper: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        create=partial(create, lite=lite),
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=params,
        macs=macs,
        paper=paper,
        recipe="compact",
    )


SPECS = (
    _spec(
        "efficientnet_b0",
        "mobile inverted bottlenecks with squeeze-and-excite and swish",
        False,
        5_330_564,
        385_814_752,
        "Tan and Le 2019, https://arxiv.org/abs/1905.11946",
    ),
    _spec(
        "efficientnet_lite0",
        "EfficientNet-B0 made for int8: relu6, no squeeze-and-excite",
        True,
        4_694_024,
        385_187_552,
        "Liu 2020, https://github.com/tensorflow/tpu, models/official/efficientnet/lite",
    ),
)
