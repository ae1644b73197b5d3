"""MobileNetV3-Large and -Small."""

from __future__ import annotations

from functools import partial
from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# name -> blocks (kernel, expanded, filters, squeeze-and-excite, hard-swish, stride): tables 1 and 2 of the paper.
_BLOCKS: dict[str, tuple[tuple[int, int, int, bool, bool, int], ...]] = {
    "mobilenet_v3_large": (
        (3, 16, 16, False, False, 1),
        (3, 64, 24, False, False, 2),
        (3, 72, 24, False, False, 1),
        (5, 72, 40, True, False, 2),
        (5, 120, 40, True, False, 1),
        (5, 120, 40, True, False, 1),
        (3, 240, 80, False, True, 2),
        (3, 200, 80, False, True, 1),
        (3, 184, 80, False, True, 1),
        (3, 184, 80, False, True, 1),
        (3, 480, 112, True, True, 1),
        (3, 672, 112, True, True, 1),
        (5, 672, 160, True, True, 2),
        (5, 960, 160, True, True, 1),
        (5, 960, 160, True, True, 1),
    ),
    "mobilenet_v3_small": (
        (3, 16, 16, True, False, 2),
        (3, 72, 24, False, False, 2),
        (3, 88, 24, False, False, 1),
        (5, 96, 40, True, True, 2),
        (5, 240, 40, True, True, 1),
        (5, 240, 40, True, True, 1),
        (5, 120, 48, True, True, 1),
        (5, 144, 48, True, True, 1),
        (5, 288, 96, True, True, 2),
        (5, 576, 96, True, True, 1),
        (5, 576, 96, True, True, 1),
    ),
}

# Channels of the 1x1 convolution behind the pooling.
_HEADS = {"mobilenet_v3_large": 1280, "mobilenet_v3_small": 1024}


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str, *, name: str) -> Any:
    """A 3x3 stem of 16 channels, inverted residuals, and a head that widens behind the global pooling.

    As in the reference implementation, stem and head keep their channels at widths below 1, and expanded
    channels are those of the tables in proportion to the block's input.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    make_divisible = blocks.make_divisible
    inputs = layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, 16, strides=2, name="stem")
    x = blocks.hard_swish(x, name="stem_hswish")
    published = 16  # input channels of the block at width 1
    for number, (kernel_size, expanded, channels, squeeze, hard, strides) in enumerate(_BLOCKS[name], start=1):
        x = blocks.mobilenet_v3_block(
            x,
            make_divisible(channels * width),
            strides,
            None if number == 1 else make_divisible(x.shape[-1] * expanded / published),
            kernel_size=kernel_size,
            squeeze=squeeze,
            hard=hard,
            name=f"block{number}",
        )
        published = channels
    x = blocks.conv_bn(x, make_divisible(6 * x.shape[-1]), 1, name="head")
    x = blocks.hard_swish(x, name="head_hswish")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    filters = make_divisible(_HEADS[name] * max(width, 1.0))
    x = layers.Conv2D(filters, 1, kernel_initializer="he_normal", name="wide")(x)
    x = blocks.hard_swish(x, name="wide_hswish")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name=name)


def _spec(name: str, summary: str, params: int, macs: int) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        create=partial(create, name=name),
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=params,
        macs=macs,
        paper="Howard et al. 2019, https://arxiv.org/abs/1905.02244",
        recipe="compact",
    )


SPECS = (
    _spec("mobilenet_v3_large", "inverted residuals with squeeze-and-excite and hard-swish", 5_507_432, 216_589_760),
    _spec("mobilenet_v3_small", "MobileNetV3 for the smallest budgets", 2_554_968, 56_510_400),
)
