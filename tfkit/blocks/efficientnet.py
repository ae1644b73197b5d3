"""The blocks of EfficientNet and EfficientNet-Lite."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.blocks.basic import conv_bn
from tfkit.blocks.mobilenet import depthwise_bn
from tfkit.blocks.squeeze_excite import squeeze_excite

keras = legacy_keras()
layers = keras.layers


def mbconv(
    x: Any,
    filters: int,
    strides: int = 1,
    expansion: int = 6,
    *,
    kernel_size: int = 3,
    lite: bool = False,
    momentum: float = 0.99,
    name: str,
) -> Any:
    """An inverted residual with swish and squeeze-and-excite; ``lite`` has relu6 and no squeeze-and-excite.

    The squeeze has a quarter of the block's input channels.
    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).
    Source: EfficientNet, https://arxiv.org/abs/1905.11946, section 4; MnasNet, https://arxiv.org/abs/1807.11626,
    figure 7; lite: https://github.com/tensorflow/tpu, models/official/efficientnet/lite.
    """
    channels = x.shape[-1]
    y = x
    if expansion != 1:
        y = conv_bn(y, expansion * channels, 1, relu=lite and 6.0, momentum=momentum, name=f"{name}_expand")
        y = y if lite else swish(y, name=f"{name}_expand")
    y = depthwise_bn(
        y, strides, kernel_size=kernel_size, relu=lite and 6.0, momentum=momentum, name=f"{name}_depthwise"
    )
    if not lite:
        y = swish(y, name=f"{name}_depthwise")
        y = squeeze_excite(y, max(1, channels // 4), activation="swish", name=f"{name}_se")
    y = conv_bn(y, filters, 1, momentum=momentum, name=f"{name}_project")
    return layers.Add(name=f"{name}_add")([x, y]) if strides == 1 and channels == filters else y


def swish(x: Any, *, name: str) -> Any:
    """y = x · sigmoid(x), in a layer called ``name`` with _swish.

    Source: https://arxiv.org/abs/1710.05941, section 2.
    """
    return layers.Activation("swish", name=f"{name}_swish")(x)
