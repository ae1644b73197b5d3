"""MobileNetV1."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# (filters, stride) of the depthwise-separable layers: table 1 of the paper.
_LAYERS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A 3x3 stem and 13 depthwise-separable layers with ReLU6, global average pooling, dense."""
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    inputs = keras.layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, blocks.make_divisible(32 * width), strides=2, relu=6.0, name="stem")
    for number, (filters, strides) in enumerate(_LAYERS, start=1):
        x = blocks.depthwise_separable(x, blocks.make_divisible(filters * width), strides, name=f"block{number}")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="mobilenet_v1")


SPECS = (
    ModelSpec(
        name="mobilenet_v1",
        summary="depthwise-separable convolutions",
        create=create,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=4_253_864,
        macs=568_740_352,
        paper="Howard et al. 2017, https://arxiv.org/abs/1704.04861",
        recipe="compact",
    ),
)
