"""The blocks of QuickNet."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit.blocks.basic import conv_bn
from tfkit.layers import QuantConv2D

keras = legacy_keras()
layers = keras.layers


@keras.utils.register_keras_serializable(package="tfkit")
class BlurKernel(keras.initializers.Initializer):  # type: ignore[name-defined]
    """The binomial low-pass filter [1 2 1]ᵀ[1 2 1] / 16 for every channel of a 3x3 depthwise kernel.

    Source: Making convolutional networks shift-invariant again, https://arxiv.org/abs/1904.11486, section 3.
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        import tensorflow as tf

        height, width, channels, multiplier = shape
        if (height, width) != (3, 3):
            raise ValueError(f"BlurKernel is for 3x3 kernels, not {height}x{width}")
        line = np.array([1.0, 2.0, 1.0])
        kernel = np.outer(line, line) / 16
        return tf.constant(np.broadcast_to(kernel[:, :, None, None], (3, 3, channels, multiplier)), dtype or tf.float32)


def quicknet_block(x: Any, *, momentum: float = 0.9, name: str) -> Any:
    """y = x + BN(relu(binary conv3x3(sign(x)))): one fused binary kernel and an addition; the shape stays.

    x: (batch, height, width, channels); channels should be a multiple of 32.
    Source: Larq Compute Engine, https://arxiv.org/abs/2011.09398, section 4.
    """
    y = QuantConv2D(
        x.shape[-1],
        3,
        padding="same",
        activation="relu",
        use_bias=False,
        input_quantizer="ste_sign",
        kernel_quantizer="ste_sign",
        kernel_initializer="glorot_normal",
        name=name,
    )(x)
    y = layers.BatchNormalization(momentum=momentum, epsilon=1e-5, name=f"{name}_bn")(y)
    return layers.Add(name=f"{name}_add")([x, y])


def quicknet_transition(x: Any, filters: int, *, momentum: float = 0.9, name: str) -> Any:
    """Halve height and width and change the channels: ReLU, dense max pooling, blur with stride 2, conv 1x1, BN.

    x: (batch, height, width, channels) -> (batch, height / 2, width / 2, filters).
    """
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.MaxPooling2D(2, 1, name=f"{name}_pool")(x)
    x = layers.DepthwiseConv2D(
        3,
        2,
        padding="same",
        use_bias=False,
        depthwise_initializer=BlurKernel(),
        trainable=False,
        name=f"{name}_blur",
    )(x)
    return conv_bn(x, filters, 1, momentum=momentum, name=name)
