"""QuickNet: a binary network shaped for the fast paths of binary kernels."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A cheap stem that divides height and width by 4, four sections of four binary residual blocks, dense."""
    from tfkit import blocks
    from tfkit._keras import legacy_keras
    from tfkit.blocks.mobilenet import depthwise_bn

    keras = legacy_keras()
    layers = keras.layers
    sections = [blocks.make_divisible(filters * width, 32) for filters in (64, 128, 256, 512)]
    inputs = layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, sections[0] // 4, strides=2, relu=True, name="stem")
    x = depthwise_bn(x, 2, affine=False, name="stem_depthwise")
    x = blocks.conv_bn(x, sections[0], 1, name="stem_pointwise")
    for number, filters in enumerate(sections, start=1):
        if number > 1:
            x = blocks.quicknet_transition(x, filters, name=f"transition{number}")
        for letter in "abcd":
            x = blocks.quicknet_block(x, name=f"block{number}{letter}")
    x = layers.ReLU(name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, kernel_initializer="glorot_normal", name="logits")(x)
    return keras.Model(inputs, x, name="quicknet")


SPECS = (
    ModelSpec(
        name="quicknet",
        summary="binary residual blocks of one fused kernel each, blurred transitions",
        create=create,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("binary", "binary_int8"),
        preprocessing=lambda shape: IMAGES,
        params=13_243_720,
        macs=1_879_339_776,
        paper="Bannink et al. 2021, https://arxiv.org/abs/2011.09398",
        recipe="binary",
    ),
)
