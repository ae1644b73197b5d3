"""AlexNet."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# (filters, kernel size, groups): figure 2 of the paper. Two groups are its two columns, one per GPU.
_CONVOLUTIONS = ((96, 11, 1), (256, 5, 2), (384, 3, 1), (384, 3, 2), (256, 3, 2))
_POOLED = (1, 2, 5)


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """Five convolutions with ReLU, overlapping 3x3 max pooling after three of them, three dense layers with dropout.

    The two columns of the paper are grouped convolutions. Its local response normalization is left out: it does
    not help (Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556, section 4.1, A against A-LRN), and
    TFLite has no int8 form of it. The paper's "224x224" inputs are 227x227: what its 55x55 outputs need.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    x = inputs = layers.Input(input_shape, name="image")
    for number, (filters, size, groups) in enumerate(_CONVOLUTIONS, start=1):
        x = layers.Conv2D(
            blocks.make_divisible(filters * width, 16),
            size,
            strides=4 if number == 1 else 1,
            padding="valid" if number == 1 else "same",
            groups=groups,
            kernel_initializer="he_normal",
            name=f"conv{number}",
        )(x)
        x = layers.ReLU(name=f"conv{number}_relu")(x)
        if number in _POOLED:
            # A window does not fit into the last maps of small inputs.
            padding = "valid" if min(x.shape[1:3]) >= 3 else "same"
            x = layers.MaxPooling2D(3, 2, padding=padding, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(blocks.make_divisible(4096 * width), kernel_initializer="he_normal", name=f"dense{number}")(x)
        x = layers.ReLU(name=f"dense{number}_relu")(x)
        x = layers.Dropout(0.5, name=f"dropout{number}")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name="alexnet")


SPECS = (
    ModelSpec(
        name="alexnet",
        summary="five convolutions in two columns, three dense layers; without LRN",
        create=create,
        input_shape=(227, 227, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=60_965_224,
        macs=724_406_816,
        paper="Krizhevsky et al. 2012, https://papers.nips.cc/paper/4824",
        recipe="plain",
    ),
)
