"""Average pooling as the convolution it is.

int8 AVERAGE_POOL_2D rounds to the scale of its input, with ties away from zero (a quarter of all 2x2 means are
ties), and a second time to the scale of its output. A depthwise convolution rounds once.
"""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras

keras = legacy_keras()


def is_exact_average(layer: Any, shape: tuple[int | None, ...]) -> bool:
    """Whether every window of an average pooling over [batch, height, width, channels] is full: equal weights."""
    if not isinstance(layer, keras.layers.AveragePooling2D) or layer.data_format != "channels_last":
        return False
    if layer.padding == "valid":
        return True
    whole = all(size is not None and size % step == 0 for size, step in zip(shape[1:3], layer.strides, strict=True))
    return whole and layer.pool_size == layer.strides


def averaging_convolution(layer: Any) -> Any:
    """The depthwise convolution, with weights 1 / (height · width) that do not train, that computes ``layer``."""
    return keras.layers.DepthwiseConv2D(
        layer.pool_size,
        layer.strides,
        padding="valid",
        use_bias=False,
        depthwise_initializer=keras.initializers.Constant(1 / (layer.pool_size[0] * layer.pool_size[1])),
        trainable=False,
        name=layer.name,
    )
