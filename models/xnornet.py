"""XNOR-Net: AlexNet with binary convolutions."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A float 11x11 stem, four binary convolutions, two binary layers over the whole map, a float classifier."""
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    wide, middle, narrow, full = (blocks.make_divisible(filters * width, 32) for filters in (384, 256, 96, 4096))
    inputs = layers.Input(input_shape, name="image")
    x = layers.Conv2D(narrow, 11, 4, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem")(
        inputs
    )
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, scale=False, name="stem_bn")(x)
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.MaxPooling2D(3, 2, name="stem_pool")(x)
    x = blocks.xnor_block(x, middle, 5, pool=True, name="conv2")
    x = blocks.xnor_block(x, wide, name="conv3")
    x = blocks.xnor_block(x, wide, name="conv4")
    x = blocks.xnor_block(x, middle, pool=True, name="conv5")
    # A fully connected layer is a convolution over the whole map, which has a binary kernel.
    x = blocks.xnor_block(x, full, x.shape[1:3], padding="valid", name="full6")
    x = blocks.xnor_block(x, full, 1, name="full7")
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-3, scale=False, name="bn")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, use_bias=False, name="logits")(x)
    return keras.Model(inputs, x, name="xnornet")


SPECS = (
    ModelSpec(
        name="xnornet",
        summary="binary AlexNet with a scale per filter",
        create=create,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("binary", "binary_int8"),
        preprocessing=lambda shape: IMAGES,
        params=62_396_768,
        macs=1_139_124_224,
        paper="Rastegari et al. 2016, https://arxiv.org/abs/1603.05279",
        recipe="binary",
    ),
)
