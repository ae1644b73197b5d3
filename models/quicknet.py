"""QuickNet: binary networks shaped for the fast paths of binary kernels, in three sizes."""

from __future__ import annotations

from functools import partial
from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# name -> (filters, binary blocks) of the four sections.
_SECTIONS = {
    "quicknet_small": ((32, 64, 256, 512), (4, 4, 4, 4)),
    "quicknet": ((64, 128, 256, 512), (4, 4, 4, 4)),
    "quicknet_large": ((64, 128, 256, 512), (6, 8, 12, 6)),
}


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str, *, name: str) -> Any:
    """A cheap stem that divides height and width by 4, four sections of binary residual blocks, dense."""
    from tfkit import blocks
    from tfkit._keras import legacy_keras
    from tfkit.blocks.mobilenet import depthwise_bn

    keras = legacy_keras()
    layers = keras.layers
    filters, repetitions = _SECTIONS[name]
    sections = [blocks.make_divisible(channels * width, 32) for channels in filters]
    inputs = layers.Input(input_shape, name="image")
    x = blocks.conv_bn(inputs, sections[0] // 4, strides=2, relu=True, name="stem")
    x = depthwise_bn(x, 2, affine=False, name="stem_depthwise")
    x = blocks.conv_bn(x, sections[0], 1, name="stem_pointwise")
    for number, (channels, count) in enumerate(zip(sections, repetitions, strict=True), start=1):
        if number > 1:
            x = blocks.quicknet_transition(x, channels, name=f"transition{number}")
        for letter in "abcdefghijkl"[:count]:
            x = blocks.quicknet_block(x, name=f"block{number}{letter}")
    x = layers.ReLU(name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, kernel_initializer="glorot_normal", name="logits")(x)
    return keras.Model(inputs, x, name=name)


def _spec(name: str, summary: str, params: int, macs: int) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        create=partial(create, name=name),
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("binary", "binary_int8"),
        preprocessing=lambda shape: IMAGES,
        params=params,
        macs=macs,
        paper="Bannink et al. 2021, https://arxiv.org/abs/2011.09398",
        recipe="binary",
    )


SPECS = (
    _spec("quicknet_small", "QuickNet with half the channels in its large maps", 12_664_344, 1_171_996_160),
    _spec(
        "quicknet", "binary residual blocks of one fused kernel each, blurred transitions", 13_243_720, 1_879_339_776
    ),
    _spec("quicknet_large", "QuickNet with twice as many blocks", 23_359_304, 3_729_027_840),
)
