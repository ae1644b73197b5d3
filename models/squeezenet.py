"""SqueezeNet 1.0 and 1.1."""

from __future__ import annotations

from functools import partial
from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# version -> (filters, kernel size) of the stem, and the fire modules that a pooling comes before.
_STEMS = {"1_0": (96, 7), "1_1": (64, 3)}
_POOLED = {"1_0": (2, 5, 9), "1_1": (2, 4, 6)}

# (squeeze, expand) of fire2 to fire9: table 1 of the paper, columns s1x1 and e1x1 = e3x3.
_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str, *, version: str) -> Any:
    """A stem with stride 2, eight fire modules between three 3x3 poolings, 1x1 convolution to classes, mean.

    Stem and poolings take no padding. The dropout of the paper is left to training recipes.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    filters, kernel_size = _STEMS[version]
    inputs = layers.Input(input_shape, name="image")
    x = layers.Conv2D(
        blocks.make_divisible(filters * width), kernel_size, 2, kernel_initializer="he_uniform", name="stem"
    )(inputs)
    x = layers.ReLU(name="stem_relu")(x)
    for number, (squeeze, expand) in enumerate(_FIRES, start=2):
        if number in _POOLED[version]:
            x = layers.MaxPooling2D(3, 2, name=f"pool{number}")(x)
        squeeze, expand = (blocks.make_divisible(channels * width) for channels in (squeeze, expand))
        x = blocks.fire(x, squeeze, expand, name=f"fire{number}")
    # Without the ReLU that the reference has here: logits are of both signs.
    x = layers.Conv2D(classes, 1, kernel_initializer=keras.initializers.RandomNormal(0, 0.01), name="logits")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, x, name=f"squeezenet_{version}")


def _spec(version: str, summary: str, params: int, macs: int, paper: str) -> ModelSpec:
    return ModelSpec(
        name=f"squeezenet_{version}",
        summary=summary,
        create=partial(create, version=version),
        input_shape=(227, 227, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=params,
        macs=macs,
        paper=paper,
        recipe="plain",
    )


SPECS = (
    _spec(
        "1_0",
        "fire modules: 1x1 squeeze, 1x1 and 3x3 expand",
        1_248_424,
        832_667_936,
        "Iandola et al. 2016, https://arxiv.org/abs/1602.07360",
    ),
    _spec(
        "1_1",
        "SqueezeNet with a small stem and earlier pooling",
        1_235_496,
        352_540_352,
        "Iandola et al. 2016, https://github.com/forresti/SqueezeNet, SqueezeNet_v1.1",
    ),
)
