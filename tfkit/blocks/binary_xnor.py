"""The block of XNOR-Net."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.layers import QuantConv2D

keras = legacy_keras()
layers = keras.layers


def xnor_block(
    x: Any,
    filters: int,
    kernel_size: int | tuple[int, int] = 3,
    *,
    padding: str = "same",
    pool: bool = False,
    momentum: float = 0.9,
    name: str,
) -> Any:
    """y = pool(conv(sign(BN(x)), α · sign(W))) with α = mean |W| per filter: the optimal scale of a sign.

    ``pool``: 3x3 maxima with stride 2, taken of the convolution's real-valued result. The scale K of the
    activations is left out, as in Larq's zoo: it would cost a float convolution per layer.
    x: (batch, height, width, channels) -> (batch, height, width, filters); without the border that
    ``padding`` "valid" and the pooling take.
    Source: XNOR-Net, https://arxiv.org/abs/1603.05279, section 3.1 (equation 6) and 3.2 (figure 3).
    """
    x = layers.BatchNormalization(momentum=momentum, epsilon=1e-4, scale=False, name=f"{name}_bn")(x)
    x = QuantConv2D(
        filters,
        kernel_size,
        padding=padding,
        use_bias=False,
        input_quantizer="ste_sign",
        kernel_quantizer="magnitude_aware_sign",
        kernel_initializer="glorot_normal",
        name=name,
    )(x)
    return layers.MaxPooling2D(3, 2, name=f"{name}_pool")(x) if pool else x
