"""Quantizers that draw values at random while they train, and stop doing so before the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tfkit._keras import flat_layers, legacy_keras

keras = legacy_keras()

if TYPE_CHECKING:  # a mixin in front of a quantizer
    _Quantizer: Any
else:
    _Quantizer = object


class Drawing(_Quantizer):
    """Draws in training steps until it is settled.

    What is drawn is right in the mean, but neither normalizations nor the other weights ever see the values that
    inference has; with few bits they differ much. The last part of a run is for getting used to these.
    """

    def build(self, input_shape: Any) -> None:
        self.settled = self.add_weight("settled", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def _draws(self, training: Any) -> Any:
        """False, or a boolean tensor: whether this call draws."""
        import tensorflow as tf

        if training is None or (isinstance(training, bool | int) and not training):
            return False
        return tf.logical_and(tf.cast(training, tf.bool), tf.equal(tf.convert_to_tensor(self.settled), 0.0))

    @staticmethod
    def _either(draws: Any, drawn: Callable[[], Any], likeliest: Callable[[], Any]) -> Any:
        import tensorflow as tf

        return likeliest() if draws is False else tf.cond(draws, drawn, likeliest)


class Settling(keras.callbacks.Callback):  # type: ignore[name-defined]
    """Let all quantizers of a model draw before an epoch, and take the likeliest values from it on.

    Args:
        epoch: the first that is settled, from 0.
    """

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        for layer in flat_layers(self.model):
            if isinstance(layer, Drawing):
                layer.settled.assign(float(epoch >= self.epoch))
