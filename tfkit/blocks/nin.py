"""The mlpconv layer of Network in Network, in float and binary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.layers import QuantConv2D

keras = legacy_keras()
layers = keras.layers


def mlpconv(x: Any, filters: Sequence[int], kernel_size: int, *, name: str) -> Any:
    """A convolution and a small dense network at every pixel: conv, then 1x1 convolutions, each with bias and ReLU.

    ``filters``: of the convolution, then of each 1x1 convolution.
    x: (batch, height, width, channels) -> (batch, height, width, filters[-1]).
    Source: Network in network, https://arxiv.org/abs/1312.4400, section 3.1, equation 2.
    """
    for number, count in enumerate(filters):
        layer = f"{name}_conv" if number == 0 else f"{name}_mlp{number}"
        size = kernel_size if number == 0 else 1
        x = layers.Conv2D(count, size, padding="same", kernel_initializer="he_normal", name=layer)(x)
        x = layers.ReLU(name=f"{layer}_relu")(x)
    return x


def binary_mlpconv(x: Any, filters: Sequence[int], kernel_size: int, *, momentum: float = 0.9, name: str) -> Any:
    """``mlpconv`` in binary: each convolution is y = relu(conv(sign(BN(x)), sign(W))).

    x: (batch, height, width, channels) -> (batch, height, width, filters[-1]); channels and filters should be
    multiples of 32. Source: XNOR-Net, https://arxiv.org/abs/1603.05279, section 3.2 and figure 3 (normalization
    and sign before the convolution, pooling after it). Its scale α = mean |W| of each filter is left out: ReLU and
    pooling pass a positive factor on, and the next normalization divides it out again. So is the scale K of the
    activations, as in Larq's zoo.
    """
    for number, count in enumerate(filters):
        layer = f"{name}_conv" if number == 0 else f"{name}_mlp{number}"
        x = layers.BatchNormalization(momentum=momentum, name=f"{layer}_bn")(x)
        x = QuantConv2D(
            count,
            kernel_size if number == 0 else 1,
            padding="same",
            activation="relu",
            use_bias=False,
            input_quantizer="ste_sign",
            kernel_quantizer="ste_sign",
            kernel_constraint="weight_clip",
            kernel_initializer="glorot_normal",
            name=layer,
        )(x)
    return x
