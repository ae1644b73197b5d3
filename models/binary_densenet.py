"""BinaryDenseNet-28."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

_GROWTH = 64
_LAYERS = (6, 6, 6, 5)

# Channels before a transition over those after it.
_REDUCTIONS = (2.7, 2.7, 2.2)

# Inputs below this many pixels get a 3x3 stem without stride and pooling, as in Larq's zoo.
_SMALL = 50


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """A float 7x7 stem, four stages of binary layers whose outputs are all kept, float transitions, dense."""
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    growth = blocks.make_divisible(_GROWTH * width, 32)
    x = inputs = layers.Input(input_shape, name="image")
    if min(input_shape[:2]) < _SMALL:
        x = layers.Conv2D(growth, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem")(x)
    else:
        x = blocks.conv_bn(x, growth, 7, 2, relu=True, momentum=0.9, name="stem")
        x = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    for stage, count in enumerate(_LAYERS, start=1):
        if stage > 1:
            # Words of 32 channels, as binary kernels take them.
            words = x.shape[-1] // _REDUCTIONS[stage - 2] / 32
            x = blocks.binary_dense_transition(x, 32 * max(1, round(words)), name=f"transition{stage}")
        for number in range(1, count + 1):
            x = blocks.binary_dense_layer(x, growth, name=f"stage{stage}_layer{number}")
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="bn")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(classes, kernel_initializer="he_normal", name="logits")(x)
    return keras.Model(inputs, x, name="binary_densenet28")


SPECS = (
    ModelSpec(
        name="binary_densenet28",
        summary="binary DenseNet without bottlenecks, float transitions",
        create=create,
        input_shape=(224, 224, 3),
        classes=1000,
        schemes=("binary", "binary_int8"),
        preprocessing=lambda shape: IMAGES,
        params=5_150_504,
        macs=3_789_867_520,
        paper="Bethge et al. 2019, https://arxiv.org/abs/1906.08637",
        recipe="binary",
    ),
)
