"""A small residual CNN for digits and CIFAR-size images, as a float network and as its binary twin."""

from __future__ import annotations

from typing import Any

from tfkit.metadata import Preprocessing
from tfkit.models._spec import IMAGES, ModelSpec

_MOMENTUM = 0.9  # small data sets give few steps for the moving averages


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A 3x3 stem, stages of two residual 3x3 blocks with 32, 64 (and 128) channels, global pooling, dense.

    Inputs of 16 pixels and more get the third stage. The binary twin has the same shape: its residual
    blocks are binary, stem, transitions and classifier are not.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    binary = scheme == "binary"
    # Binary kernels work on words of 32 channels.
    stages = [blocks.make_divisible(filters * width, 32 if binary else 8) for filters in (32, 64, 128)]
    if min(input_shape[:2]) < 16:
        stages = stages[:2]
    inputs = layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, stages[0], momentum=_MOMENTUM, name="stem")
    for number, filters in enumerate(stages, start=1):
        if number > 1:
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
            x = blocks.conv_bn(x, filters, 1, momentum=_MOMENTUM, name=f"transition{number}")
        for letter in "ab":
            block = blocks.quicknet_block if binary else blocks.float_residual
            x = block(x, momentum=_MOMENTUM, name=f"block{number}{letter}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="small_cnn")


def preprocessing(input_shape: tuple[int, int, int]) -> Preprocessing:
    """Digits are grey levels 0 to 16, mapped to [0, 1]; anything else is taken for 8-bit images."""
    return Preprocessing(1 / 16, 0.0, 0.0, 16.0) if input_shape == (8, 8, 1) else IMAGES


SPECS = (
    ModelSpec(
        name="small_cnn",
        summary="residual CNN for digits and CIFAR-size images, with a binary twin",
        create=create,
        input_shape=(8, 8, 1),
        classes=10,
        schemes=("float32", "int8", "binary", "binary_int8"),
        preprocessing=preprocessing,
        params=96_298,
        macs=2_411_136,
        paper="after QuickNet, https://arxiv.org/abs/2011.09398",
    ),
)
