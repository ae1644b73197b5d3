"""ShuffleNet (v1) with 1, 2, 3, 4 or 8 groups."""

from __future__ import annotations

from functools import partial
from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

_REPETITIONS = (4, 8, 4)

# groups -> channels of stage 2 at width 1; every further stage doubles them: table 1 of the paper.
_CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str, *, groups: int) -> Any:
    """A 3x3 stem with max pooling, three stages of 4, 8 and 4 shuffle units, global average pooling, dense.

    Widths of the paper are 0.25, 0.5, 1, 1.5 and 2. Where a width leaves channels that the groups do not
    divide, they are rounded to a number that they do.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    inputs = layers.Input(input_shape, name="image")
    # Not in proportion to the width: these give the complexities of the paper's tables 2 and 5.
    stem = 24 * int(width) if width >= 1 else blocks.make_divisible(12, groups)
    x = blocks.conv_bn(inputs, stem, strides=2, relu=True, name="stem")
    x = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    channels = blocks.make_divisible(_CHANNELS[groups] * width, groups)
    for stage, repetitions in enumerate(_REPETITIONS, start=2):
        for number in range(1, repetitions + 1):
            first = stage == 2 and number == 1  # so few input channels that grouping would hurt: section 3.3
            x = blocks.shufflenet_unit(
                x,
                channels,
                2 if number == 1 else 1,
                groups,
                first_groups=1 if first else None,
                name=f"stage{stage}_unit{number}",
            )
        channels *= 2
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name=f"shufflenet_v1_g{groups}")


def _spec(groups: int, params: int, macs: int) -> ModelSpec:
    plain = "pointwise convolutions without groups" if groups == 1 else f"{groups} groups and channel shuffle"
    return ModelSpec(
        name=f"shufflenet_v1_g{groups}",
        summary=f"ShuffleNet with {plain}",
        create=partial(create, groups=groups),
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("float32", "int8"),
        preprocessing=lambda shape: IMAGES,
        params=params,
        macs=macs,
        paper="Zhang et al. 2018, https://arxiv.org/abs/1707.01083",
        recipe="compact",
    )


SPECS = (
    _spec(1, 1_546_624, 143_078_976),
    _spec(2, 1_754_248, 140_836_512),
    _spec(3, 1_890_208, 137_460_672),
    _spec(4, 1_996_088, 134_339_776),
    _spec(8, 2_473_936, 138_365_952),
)
