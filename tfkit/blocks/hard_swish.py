"""Piecewise linear sigmoid and swish, as plain Keras layers that converters know again."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras

keras = legacy_keras()
layers = keras.layers


def hard_sigmoid(x: Any, *, name: str) -> Any:
    """y = relu6(x + 3) / 6; the shape stays.

    Keras' own activation "hard_sigmoid" is another function, with a slope of 1/5.
    Source: MobileNetV3, https://arxiv.org/abs/1905.02244, section 5.2.
    """
    x = layers.Rescaling(1.0, offset=3.0, name=f"{name}_shift")(x)
    x = layers.ReLU(6.0, name=f"{name}_relu")(x)
    return layers.Rescaling(1 / 6, name=f"{name}_scale")(x)


def hard_swish(x: Any, *, name: str) -> Any:
    """y = x · relu6(x + 3) / 6, which becomes one HARD_SWISH op of a flatbuffer; the shape stays.

    Source: MobileNetV3, https://arxiv.org/abs/1905.02244, section 5.2.
    """
    return layers.Multiply(name=name)([x, hard_sigmoid(x, name=f"{name}_gate")])
