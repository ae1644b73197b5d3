"""BinaryResNetE-18."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# Inputs below this many pixels get a 3x3 stem without stride and pooling, as in Larq's zoo.
_SMALL = 50


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A float 7x7 stem, four stages of four binary 3x3 convolutions, each with its own shortcut, dense."""
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    stages = [blocks.make_divisible(filters * width, 32) for filters in (64, 128, 256, 512)]
    x = inputs = layers.Input(input_shape, name="image")
    if min(input_shape[:2]) < _SMALL:
        x = layers.Conv2D(stages[0], 3, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem")(x)
    else:
        x = blocks.conv_bn(x, stages[0], 7, 2, relu=True, momentum=0.9, name="stem")
        x = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
        # Pooled ReLUs are never negative: without this their sign would carry nothing.
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="stem_pool_bn")(x)
    for number, filters in enumerate(stages, start=1):
        for letter in "abcd":
            strides = 2 if number > 1 and letter == "a" else 1
            x = blocks.binary_resnet_e_block(x, filters, strides, name=f"block{number}{letter}")
    x = layers.ReLU(name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, kernel_initializer="glorot_normal", name="logits")(x)
    return keras.Model(inputs, x, name="binary_resnet_e18")


SPECS = (
    ModelSpec(
        name="binary_resnet_e18",
        summary="binary ResNet-18 with more shortcuts and no scaling factors",
        create=create,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("binary", "binary_int8"),
        preprocessing=lambda shape: IMAGES,
        params=11_699_368,
        macs=1_814_073_344,
        paper="Bethge et al. 2019, https://arxiv.org/abs/1906.08637",
        recipe="binary",
    ),
)
