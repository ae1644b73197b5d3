"""DenseNet-BC for CIFAR, DenseNet-BC-L-k."""

from __future__ import annotations

from functools import partial
from typing import Any

from tfkit._errors import UsageError
from tfkit.models._spec import IMAGES, ModelFamily, ModelSpec, check_range

_PAPER = "Huang et al. 2017, https://arxiv.org/abs/1608.06993"
_INPUT = (32, 32, 3)
_CLASSES = 10
_MOMENTUM = 0.9


def create(
    input_shape: tuple[int, int, int], classes: int, width: float, scheme: str, *, depth: int, growth: int
) -> Any:
    """A 3x3 stem of 2k channels, three dense blocks of (depth - 4) / 6 layers with k = ``growth`` new channels each.

    Between the blocks are transitions that halve the channels and the size; BN, ReLU, pooling and dense at the
    end: section 3, "Implementation Details". ``width`` scales k.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    k = growth if width == 1 else blocks.make_divisible(growth * width, 4)
    inputs = layers.Input(input_shape, name="image")
    x = layers.Conv2D(2 * k, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem")(inputs)
    for block in (1, 2, 3):
        for number in range(1, (depth - 4) // 6 + 1):
            x = blocks.densenet_layer(x, k, momentum=_MOMENTUM, name=f"block{block}_layer{number}")
        if block < 3:
            x = blocks.densenet_transition(x, momentum=_MOMENTUM, name=f"transition{block}")
    x = blocks.normalized_relu(x, momentum=_MOMENTUM, name="last")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name=f"densenet_bc_{depth}_{growth}")


def member(depth: int, growth: int) -> ModelSpec:
    """DenseNet-BC-depth-growth; raises ``UsageError`` where there is none."""
    check_range("densenet_bc_L_K", "L", depth, 10, 400, "the depth")
    check_range("densenet_bc_L_K", "K", growth, 2, 128, "the growth rate")
    if (depth - 4) % 6:
        below = depth - (depth - 4) % 6
        raise UsageError(
            f"L of densenet_bc_L_K is 6n + 4, three blocks of n layers with two convolutions each; got {depth}, "
            f"next to it are densenet_bc_{below}_{growth} and densenet_bc_{below + 6}_{growth}"
        )
    params, macs = _counts(depth, growth)
    return ModelSpec(
        name=f"densenet_bc_{depth}_{growth}",
        summary=f"densely connected network with bottlenecks and compression, {depth} layers, growth rate {growth}",
        create=partial(create, depth=depth, growth=growth),
        input_shape=_INPUT,
        classes=_CLASSES,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=params,
        macs=macs,
        paper=_PAPER,
        recipe="residual",
    )


def _counts(depth: int, growth: int) -> tuple[int, int]:
    """Parameters and MACs in closed form, so that the table needs no model; normalizations have four vectors."""
    pixels = _INPUT[0] * _INPUT[1]
    channels = 2 * growth
    params = 9 * _INPUT[2] * channels
    macs = pixels * params
    for block in (1, 2, 3):
        for _ in range((depth - 4) // 6):
            kernels = channels * 4 * growth + 9 * 4 * growth * growth
            params += kernels + 4 * channels + 4 * 4 * growth
            macs += pixels * kernels
            channels += growth
        if block < 3:
            kernels = channels * (channels // 2)
            params += kernels + 4 * channels
            macs += pixels * kernels
            channels //= 2
            pixels //= 4
    return params + 4 * channels + (channels + 1) * _CLASSES, macs + channels * _CLASSES


FAMILIES = (
    ModelFamily(
        pattern="densenet_bc_L_K",
        summary="densely connected networks with bottlenecks and compression, for CIFAR-size images",
        numbers={"L": "the depth, 6n + 4: 40, 100, 190, 250, ...", "K": "the growth rate k, 2 to 128"},
        member=member,
        paper=_PAPER,
    ),
)
SPECS = (member(100, 12), member(190, 40))
