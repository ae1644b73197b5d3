"""Network in Network for CIFAR."""

from __future__ import annotations

from typing import Any

from tfkit.models._spec import IMAGES, ModelSpec

# (kernel size, filters of the convolution and of its two 1x1 convolutions) of the three mlpconv layers.
_STAGES = ((5, (192, 160, 96)), (5, (192, 192, 192)), (3, (192, 192)))


def create(input_shape: tuple[int, int, int], classes: int, width: float, scheme: str) -> Any:
    """Three mlpconv layers with pooling and dropout between them; the average of each map of the last is a logit.

    The last 1x1 convolution, to one map per class, has no ReLU here: its average is what the softmax takes. The
    binary twin keeps the first and the last convolution in float (XNOR-Net, https://arxiv.org/abs/1603.05279,
    section 4) and has neither biases nor dropout, which binary networks do without.
    """
    from tfkit import blocks
    from tfkit._keras import legacy_keras

    keras = legacy_keras()
    layers = keras.layers
    binary = scheme == "binary"
    x = inputs = layers.Input(input_shape, name="image")
    for stage, (size, counts) in enumerate(_STAGES, start=1):
        filters = [blocks.make_divisible(count * width, 32 if binary else 8) for count in counts]
        name = f"stage{stage}"
        if binary and stage == 1:
            x = blocks.conv_bn(x, filters[0], size, relu=True, momentum=0.9, name=f"{name}_conv")
            x = blocks.binary_mlpconv(x, filters[1:], 1, name=f"{name}_mlp")
        elif binary:
            x = blocks.binary_mlpconv(x, filters, size, name=name)
        else:
            x = blocks.mlpconv(x, filters, size, name=name)
        if stage < 3:
            pool = layers.MaxPooling2D if stage == 1 else layers.AveragePooling2D
            x = pool(3, 2, padding="same", name=f"pool{stage}")(x)
            if not binary:
                x = layers.Dropout(0.5, name=f"dropout{stage}")(x)
    if binary:
        x = layers.BatchNormalization(momentum=0.9, name="last_bn")(x)
    x = layers.Conv2D(classes, 1, name="class_maps")(x)
    x = layers.GlobalAveragePooling2D(name="logits")(x)
    return keras.Model(inputs, x, name="nin")


SPECS = (
    ModelSpec(
        name="nin",
        summary="convolutions with small dense networks at every pixel, with a binary twin",
        create=create,
        input_shape=(32, 32, 3),
        classes=10,
        schemes=("float32", "int8", "binary", "binary_int8"),
        preprocessing=lambda shape: IMAGES,
        params=966_986,
        macs=222_486_528,
        paper="Lin et al. 2014, https://arxiv.org/abs/1312.4400",
        recipe="plain",
    ),
)
