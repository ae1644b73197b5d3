"""Feature boosting and suppression: a convolution that chooses, for every sample, which of its channels to compute."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class BoostedConv2D(keras.layers.Layer):  # type: ignore[name-defined]
    """Convolution, normalization and ReLU, of which every sample gets the channels that are predicted to matter.

        s_c(x) = mean over positions of |x_c|
        g(x) = relu(s(x) φ + ρ);   π(x) = g(x) where it is among the ⌈density · filters⌉ largest, 0 elsewhere
        y = relu(π(x) · (normalized(conv(x)) + β)),   loss: + penalty · mean over samples of Σ_c g_c(x)

    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters).

    What a runtime can exploit: **nothing today.** Channels that are suppressed need not be computed, which would save
    1 - density of the MACs, and again 1 - density of the next such layer's that does not read them. No TFLite kernel
    skips channels that are known while running only: the converted layer computes all and multiplies by zero, and
    is a little slower than the plain convolution. ``tfkit.count`` and ``tfkit bench`` tell the cost of that.

    Args:
        filters: output channels.
        kernel_size, strides, padding: of the convolution.
        density: the share of channels that a sample gets, in (0, 1].
        penalty: λ of the paper.
        momentum: of the normalization.

    Source: Gao et al. 2019, https://arxiv.org/abs/1810.05331, equations 3 to 8.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int] = 3,
        strides: int | tuple[int, int] = 1,
        padding: str = "same",
        density: float = 0.5,
        penalty: float = 1e-8,
        momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < density <= 1 or not penalty >= 0:
            raise UsageError(f"density lies in (0, 1] and penalty is not negative; got {density:g} and {penalty:g}")
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, padding
        self.density, self.penalty, self.momentum = density, penalty, momentum
        self.conv = keras.layers.Conv2D(filters, kernel_size, strides, padding, use_bias=False, name="conv")
        self.norm = keras.layers.BatchNormalization(momentum=momentum, scale=False, name="norm")
        self.predictor = keras.layers.Dense(
            filters, "relu", kernel_initializer="he_normal", bias_initializer="ones", name="predictor"
        )

    def build(self, input_shape: Any) -> None:
        self.conv.build(input_shape)
        self.norm.build(self.conv.compute_output_shape(input_shape))
        self.predictor.build((input_shape[0], input_shape[-1]))
        super().build(input_shape)

    def call(self, inputs: Any, training: Any = None) -> Any:
        saliency = self.predictor(tf.reduce_mean(tf.abs(inputs), axis=(1, 2)))
        self.add_loss(self.penalty * tf.reduce_mean(tf.reduce_sum(saliency, 1)))
        kept = math.ceil(self.density * self.filters)
        winners = tf.math.top_k(saliency, kept).indices
        gate = saliency * tf.reduce_sum(tf.one_hot(winners, self.filters, dtype=saliency.dtype), 1)
        return tf.nn.relu(gate[:, tf.newaxis, tf.newaxis, :] * self.norm(self.conv(inputs), training=training))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.conv.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        names = ("filters", "kernel_size", "strides", "padding", "density", "penalty", "momentum")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
