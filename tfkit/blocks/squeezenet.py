"""The fire module of SqueezeNet."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras

keras = legacy_keras()
layers = keras.layers


def fire(x: Any, squeeze: int, expand: int, *, bypass: bool = False, name: str) -> Any:
    """y = concat(relu(conv1x1(s)), relu(conv3x3(s))) with s = relu(conv1x1(x)); with ``bypass`` x is added.

    Convolutions have a bias and no normalization, as published. ``squeeze`` channels in s, ``expand`` in
    each half of y. The bypass goes around modules that keep the number of channels.
    x: (batch, height, width, channels) -> (batch, height, width, 2 · expand).
    Source: SqueezeNet, https://arxiv.org/abs/1602.07360, section 3.2; simple bypass: section 6, figure 2.

    Raises:
        ValueError: a bypass where the number of channels changes.
    """
    if bypass and x.shape[-1] != 2 * expand:
        raise ValueError(f"a bypass keeps the channels; got {x.shape[-1]} and 2 * expand = {2 * expand}")
    squeezed = _conv_relu(x, squeeze, 1, f"{name}_squeeze")
    halves = [_conv_relu(squeezed, expand, size, f"{name}_expand{size}x{size}") for size in (1, 3)]
    y = layers.Concatenate(name=f"{name}_concat")(halves)
    return layers.Add(name=f"{name}_bypass")([x, y]) if bypass else y


def _conv_relu(x: Any, filters: int, size: int, name: str) -> Any:
    x = layers.Conv2D(filters, size, padding="same", kernel_initializer="he_uniform", name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(x)
