"""GoogLeNet (Inception v1)."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# "#1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj" of the modules: table 1 of the paper.
_MODULES = {
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A 7x7, a 1x1 and a 3x3 convolution, nine Inception modules, global average pooling, dropout, dense.

    Every convolution has batch normalization (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167), which
    replaces the paper's local response normalization and the auxiliary classifiers that helped it to train.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers

    def scaled(filters: int) -> int:
        return blocks.make_divisible(filters * width)

    def halved(x: Any, name: str) -> Any:
        return layers.MaxPooling2D(3, 2, padding="same", name=name)(x)

    inputs = layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, scaled(64), 7, 2, relu=True, name="conv1")
    x = halved(x, "pool1")
    x = blocks.conv_bn(x, scaled(64), 1, relu=True, name="conv2_reduce")
    x = blocks.conv_bn(x, scaled(192), 3, relu=True, name="conv2")
    x = halved(x, "pool2")
    for name, channels in _MODULES.items():
        if name in ("inception4a", "inception5a"):
            x = halved(x, "pool3" if name == "inception4a" else "pool4")
        one, three_reduce, three, five_reduce, five, pool = map(scaled, channels)
        x = blocks.inception_module(x, one, three_reduce, three, five_reduce, five, pool, name=name)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="googlenet")


SPECS = (
    ModelSpec(
        name="googlenet",
        summary="nine Inception modules; with batch normalization instead of LRN",
        create=create,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=7_020_392,
        macs=1_582_671_872,
        paper="Szegedy et al. 2015, https://arxiv.org/abs/1409.4842",
        recipe="residual",
    ),
)
