"""Low-cost collaborative layers: a cheap convolution predicts where an expensive one gives zero."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras

keras = legacy_keras()

KINDS = ("spatial", "pointwise")


@keras.utils.register_keras_serializable(package="tfkit")
class CollaborativeConv2D(keras.layers.Layer):  # type: ignore[name-defined]
    """A convolution whose output is scaled by that of a low-cost one, which is exactly zero at many places.

        y = relu(normalized(lowcost(x))) ⊙ conv(x)
        lowcost: "spatial", a kernel (K, K, channels, 1): one scale for all channels of a position;
                 "pointwise", a kernel (1, 1, channels, filters): one scale for every value

    x: (batch, height, width, channels) -> (batch, height / strides, width / strides, filters). Normalization and
    activation of the convolution itself come behind this layer.

    What a runtime can exploit: **nothing today.** Where the scale is zero the convolution need not be computed, which
    pays for "spatial", where all channels of a position are zero together; the paper's speed-ups are for it. No TFLite
    kernel skips positions that are known while running only: the converted layer computes everything, so it costs
    what both convolutions cost. ``skipped`` tells which share of values a runtime of its own could leave out.

    Args:
        filters: output channels.
        kernel_size, strides, padding: of the convolution.
        kind: of the low-cost convolution.
        momentum: of its normalization.

    Source: Dong et al. 2017, https://arxiv.org/abs/1703.08651, section 3.2, equations 1 to 3.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int] = 3,
        strides: int | tuple[int, int] = 1,
        padding: str = "same",
        kind: str = "spatial",
        momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise UsageError(f"kind is one of {', '.join(KINDS)}; got {kind!r}")
        if kind == "pointwise" and padding != "same":
            raise UsageError("a pointwise low-cost convolution sees all positions only with padding 'same'")
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, padding
        self.kind, self.momentum = kind, momentum
        self.conv = keras.layers.Conv2D(filters, kernel_size, strides, padding, use_bias=False, name="conv")
        outputs, size = (1, kernel_size) if kind == "spatial" else (filters, 1)
        self.lowcost = keras.layers.Conv2D(outputs, size, strides, padding, use_bias=False, name="lowcost")
        self.norm = keras.layers.BatchNormalization(momentum=momentum, name="norm")

    def build(self, input_shape: Any) -> None:
        self.conv.build(input_shape)
        self.lowcost.build(input_shape)
        self.norm.build(self.lowcost.compute_output_shape(input_shape))
        super().build(input_shape)

    def call(self, inputs: Any, training: Any = None) -> Any:
        return self._scale(inputs, training) * self.conv(inputs)

    def skipped(self, inputs: Any) -> float:
        """The share of outputs for ``inputs`` whose scale is zero: those that need not be computed."""
        return float(tf.reduce_mean(tf.cast(tf.equal(self._scale(inputs, False), 0), tf.float32)))

    def _scale(self, inputs: Any, training: Any) -> Any:
        return tf.nn.relu(self.norm(self.lowcost(inputs), training=training))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.conv.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        names = ("filters", "kernel_size", "strides", "padding", "kind", "momentum")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
