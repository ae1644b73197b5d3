"""MobileNetV2."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# (expansion t, channels c, repetitions n, stride s of the first): table 2 of the paper.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A 3x3 stem, 17 inverted residuals with linear bottlenecks, a 1x1 convolution, global pooling, dense.

    The last convolution keeps its 1280 channels at widths below 1, as in the paper (section 5).
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    inputs = keras.layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, blocks.make_divisible(32 * width), strides=2, relu=6.0, name="stem")
    number = 0
    for expansion, channels, repetitions, stride in _STAGES:
        filters = blocks.make_divisible(channels * width)
        for repetition in range(repetitions):
            number += 1
            strides = stride if repetition == 0 else 1
            x = blocks.inverted_residual(x, filters, strides, expansion, name=f"block{number}")
    x = blocks.conv_bn(x, blocks.make_divisible(1280 * max(width, 1.0)), 1, relu=6.0, name="head")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="mobilenet_v2")


SPECS = (
    ModelSpec(
        name="mobilenet_v2",
        summary="inverted residuals with linear bottlenecks",
        create=create,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=3_538_984,
        macs=300_774_272,
        paper="Sandler et al. 2018, https://arxiv.org/abs/1801.04381",
        recipe="compact",
    ),
)
