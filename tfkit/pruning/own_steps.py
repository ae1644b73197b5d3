"""Networks whose structure parameters take steps of their own, beside the optimizer's steps for the weights.

An optimizer such as Adam makes all steps equally long, so that a parameter that matters moves no faster than one that
does not; and a proximal step is none that an optimizer makes.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tfkit._keras import legacy_keras
from tfkit.metadata import attach_metadata, metadata_of
from tfkit.pruning.method import learning_rate
from tfkit.pruning.reparameterized import wrappers_of
from tfkit.pruning.structured import StructuredKernel

keras = legacy_keras()


class OwnStepKernel(StructuredKernel):
    """A kernel with one parameter per structure that no optimizer sees; ``step`` moves it along its gradient."""

    def structure(self, kernel: Any) -> None:
        self.parameter = self.add_weight(
            "parameter", (self.parts.count,), initializer=self.begin(), trainable=False, dtype="float32"
        )

    def begin(self) -> Any:
        """The initializer of the parameter."""
        return "ones"

    def step(self, gradient: Any, rate: Any) -> None:
        """One step; ``rate`` is the learning rate of the weights."""
        raise NotImplementedError


class OwnSteps(keras.Model):  # type: ignore[name-defined]
    """A functional model that trains the parameters of its ``OwnStepKernel`` by their own steps."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        wrappers = wrappers_of(self)
        parameters = [wrapper.parameter for wrapper in wrappers]
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            outputs = self(x, training=True)
            loss = self.compute_loss(x, y, outputs, sample_weight)
        gradients = tape.gradient(loss, [*self.trainable_variables, *parameters])
        number = len(self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients[:number], self.trainable_variables, strict=True))
        rate = learning_rate(self.optimizer)
        for wrapper, gradient in zip(wrappers, gradients[number:], strict=True):
            wrapper.step(gradient, rate)
        return dict(self.compute_metrics(x, y, outputs, sample_weight))


def with_own_steps(network: Any, kind: type[Any] = OwnSteps) -> Any:
    """The same network as one of a class that trains differently."""
    return attach_metadata(kind(network.inputs, network.outputs, name=network.name), metadata_of(network))
