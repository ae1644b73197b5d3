"""VGG-16, and the small VGG variant that FINN runs on CIFAR-10."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# (filters, convolutions) of each stage: column D of table 1.
_VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
# (filters, pooled afterwards) of each pair of convolutions.
_SMALL = ((64, True), (128, True), (256, False))
_MOMENTUM = 0.9


def create_vgg16(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """Thirteen 3x3 convolutions with ReLU in five stages, each with max pooling; three dense layers with dropout."""
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    x = inputs = layers.Input(input_shape, name="image")
    for stage, (filters, count) in enumerate(_VGG16, start=1):
        channels = blocks.make_divisible(filters * width)
        for number in range(1, count + 1):
            name = f"conv{stage}_{number}"
            x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal", name=name)(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(blocks.make_divisible(4096 * width), kernel_initializer="he_normal", name=f"dense{number}")(x)
        x = layers.ReLU(name=f"dense{number}_relu")(x)
        x = layers.Dropout(0.5, name=f"dropout{number}")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="vgg16")


def create_vgg_small(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """Three pairs of 3x3 convolutions, max pooling after the first two, two hidden dense layers, dense.

    Every layer is followed by batch normalization. In the binary scheme all layers are binary but the first and
    the last; FINN binarizes the weights of these two as well. Convolutions have no padding, which takes 32x32
    inputs down to one pixel; where that leaves nothing (below 32) they have, so that small inputs work as well.
    The float form writes its hidden dense layers as convolutions over the whole map, whose normalizations fold.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    binary = scheme == "binary"
    padding = "valid" if min(input_shape[:2]) >= 32 else "same"
    x = inputs = layers.Input(input_shape, name="image")
    for stage, (filters, pooled) in enumerate(_SMALL, start=1):
        channels = blocks.make_divisible(filters * width, 32 if binary else 8)
        for number in (1, 2):
            name = f"conv{stage}_{number}"
            if binary and name != "conv1_1":
                x = blocks.binary_conv_bn(x, channels, padding=padding, momentum=_MOMENTUM, name=name)
            else:
                x = blocks.conv_bn(x, channels, padding=padding, relu=not binary, momentum=_MOMENTUM, name=name)
        if pooled:
            x = layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    units = blocks.make_divisible(512 * width, 32 if binary else 8)
    if binary:
        x = layers.Flatten(name="flatten")(x)
        x = blocks.binary_dense_bn(x, units, momentum=_MOMENTUM, name="dense1")
        x = blocks.binary_dense_bn(x, units, momentum=_MOMENTUM, name="dense2")
    else:
        x = blocks.conv_bn(x, units, x.shape[1:3], padding="valid", relu=True, momentum=_MOMENTUM, name="dense1")
        x = blocks.conv_bn(x, units, 1, relu=True, momentum=_MOMENTUM, name="dense2")
        x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="vgg_small")


SPECS = (
    ModelSpec(
        name="vgg16",
        summary="thirteen 3x3 convolutions, three dense layers",
        create=create_vgg16,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=138_357_544,
        macs=15_470_264_320,
        paper="Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556",
        recipe="plain",
    ),
    ModelSpec(
        name="vgg_small",
        summary="FINN's VGG variant for CIFAR-10 (CNV), with a binary twin; BinaryNet's channels at width 2",
        create=create_vgg_small,
        input_shape=(32, 32, 3),
        classes=10,
        schemes=("float32", "int8", "binary", "binary_int8"),
        preprocessing=lambda shape: IMAGES,
        params=1_550_538,
        macs=59_461_376,
        paper="Umuroglu et al. 2017 (FINN), https://arxiv.org/abs/1612.07119",
        recipe="residual",
    ),
)
