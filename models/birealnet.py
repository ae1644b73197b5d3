"""Bi-RealNet-18."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A float 7x7 stem, four stages of four binary 3x3 convolutions, each with its own shortcut, dense."""
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    inputs = layers.Input(input_shape, name="image")
    stages = [blocks.make_divisible(filters * width, 32) for filters in (64, 128, 256, 512)]
    x = blocks.conv_bn(inputs, stages[0], 7, 2, momentum=0.8, name="stem")
    x = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    for number, filters in enumerate(stages, start=1):
        for letter in "abcd":
            strides = 2 if number > 1 and letter == "a" else 1
            x = blocks.bireal_block(x, filters, strides, name=f"block{number}{letter}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="birealnet18")


SPECS = (
    ModelSpec(
        name="birealnet18",
        summary="binary ResNet-18 with a shortcut around every convolution",
        create=create,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("binary", "binary_int8"),
        preprocessing=lambda shape: IMAGES,
        params=11_699_112,
        macs=1_814_073_344,
        paper="Liu et al. 2018, https://arxiv.org/abs/1808.00278",
        recipe="binary",
    ),
)
