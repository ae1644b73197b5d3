"""Wide residual networks, WRN-d-k."""

from __future__ import annotations

from functools import partial
from typing import Any

from tfkit._errors import UsageError
from tfkit.models._spec import IMAGES, ModelFamily, ModelSpec, check_range

_PAPER = "Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146"
_INPUT = (32, 32, 3)
_CLASSES = 10
_STEM = 16
_MOMENTUM = 0.9


def create(
    input_shape: tuple[int, int, int], classes: int, width: float, scheme: str, *, depth: int, factor: int
) -> Any:
    """A 3x3 stem of 16 channels, three stages of (depth - 4) / 6 pre-activated blocks, BN, ReLU, pooling, dense.

    The stages have 16, 32 and 64 channels times ``factor``: table 1 of the paper, block type B(3, 3).
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    inputs = layers.Input(input_shape, name="image")
    x = layers.Conv2D(
        blocks.make_divisible(_STEM * width),
        3,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name="stem",
    )(inputs)
    for stage, filters in enumerate((16, 32, 64), start=1):
        channels = blocks.make_divisible(filters * factor * width)
        for number in range(1, (depth - 4) // 6 + 1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = blocks.preactivated_basic_block(
                x, channels, strides, momentum=_MOMENTUM, name=f"stage{stage}_block{number}"
            )
    x = blocks.normalized_relu(x, momentum=_MOMENTUM, name="last")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name=f"wrn_{depth}_{factor}")


def member(depth: int, factor: int) -> ModelSpec:
    """WRN-depth-factor; raises ``UsageError`` where there is none."""
    check_range("wrn_D_K", "D", depth, 10, 400, "the depth")
    check_range("wrn_D_K", "K", factor, 1, 32, "the widening factor")
    if (depth - 4) % 6:
        below = depth - (depth - 4) % 6
        raise UsageError(
            f"D of wrn_D_K is 6n + 4, three stages of n blocks with two convolutions each; got {depth}, "
            f"next to it are wrn_{below}_{factor} and wrn_{below + 6}_{factor}"
        )
    params, macs = _counts(depth, factor)
    return ModelSpec(
        name=f"wrn_{depth}_{factor}",
        summary=f"wide residual network, {depth} layers deep, {factor} times as wide as a ResNet for CIFAR",
        create=partial(create, depth=depth, factor=factor),
        input_shape=_INPUT,
        classes=_CLASSES,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=params,
        macs=macs,
        paper=_PAPER,
        recipe="residual",
    )


def _counts(depth: int, factor: int) -> tuple[int, int]:
    """Parameters and MACs in closed form, so that the table needs no model; normalizations have four vectors."""
    pixels = _INPUT[0] * _INPUT[1]
    kernels = 9 * _INPUT[2] * _STEM
    params, macs = kernels, pixels * kernels
    channels = _STEM
    for stage, filters in enumerate((16 * factor, 32 * factor, 64 * factor)):
        if stage:
            pixels //= 4
        for _ in range((depth - 4) // 6):
            shortcut = 0 if channels == filters else channels * filters
            kernels = 9 * channels * filters + 9 * filters * filters + shortcut
            params += kernels + 4 * channels + 4 * filters
            macs += pixels * kernels
            channels = filters
    return params + 4 * channels + (channels + 1) * _CLASSES, macs + channels * _CLASSES


FAMILIES = (
    ModelFamily(
        pattern="wrn_D_K",
        summary="wide residual networks",
        numbers={"D": "the depth, 6n + 4: 10, 16, 22, 28, 34, 40, ...", "K": "the widening factor, 1 to 32"},
        member=member,
        paper=_PAPER,
    ),
)
SPECS = (member(16, 4), member(28, 10), member(40, 4))
