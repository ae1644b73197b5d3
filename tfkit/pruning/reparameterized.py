"""Layers that compute with a kernel made from their own one, which is how every method here reaches into a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from tfkit._keras import flat_layers, legacy_keras, set_untracked
from tfkit.metadata import attach_metadata, metadata_of

keras = legacy_keras()


class Worn(keras.layers.Wrapper):  # type: ignore[name-defined]
    """What a layer wears while a method is at work; ``unwrapped`` takes it off."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **{"name": f"{layer.name}_{type(self).__name__.lower()}", **kwargs})

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)


class Reparameterized(Worn):
    """A convolution or dense layer whose output is that of ``layer`` with the kernel ``effective(training)``.

    A method is a subclass: ``structure`` adds its variables, ``effective`` is its rule, ``penalty`` its share of the
    loss, ``after_step`` what it does to its variables after every step of the optimizer, ``final`` the kernel that is
    left when the wrapper comes off.
    """

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.structure(self.layer.kernel)
        if type(self).penalty is not Reparameterized.penalty:
            self.add_loss(self.penalty)

    @tf.autograph.experimental.do_not_convert
    def call(self, inputs: Any, training: Any = None) -> Any:
        if training is None:
            training = keras.backend.learning_phase()
        return self.outputs(inputs, training)

    def outputs(self, inputs: Any, training: Any) -> Any:
        """What the layer gives."""
        with replaced(self.layer, kernel=self.effective(training)):
            return self.layer.call(inputs)

    def structure(self, kernel: Any) -> None:
        """Create the variables of the method for a kernel (..., inputs, outputs)."""

    def effective(self, training: Any) -> Any:
        """The kernel to compute with."""
        return self.layer.kernel

    def penalty(self) -> Any:
        """What the method adds to the loss: a scalar."""

    def after_step(self, step: Any, rate: Any) -> None:
        """Change variables, inside a graph, after step number ``step`` (from 1) with learning rate ``rate``."""

    def final(self) -> np.ndarray:
        """The kernel without the wrapper."""
        return np.asarray(self.effective(False))


def wrapped(model: Any, wrappers: Mapping[str, Callable[[Any], Any]]) -> Any:
    """A copy of ``model`` with the layers of these names inside what ``wrappers`` make of a layer; weights copied."""
    copies: dict[str, Any] = {}

    def clone(layer: Any) -> Any:
        copies[layer.name] = copy = type(layer).from_config(layer.get_config())
        return wrappers[layer.name](copy) if layer.name in wrappers else copy

    network = keras.models.clone_model(model, clone_function=clone)
    for layer in model.layers:
        if layer.weights:
            copies[layer.name].set_weights(layer.get_weights())
    return attach_metadata(network, metadata_of(model))


def unwrapped(network: Any) -> Any:
    """The model without its wrappers, with the kernels that they leave behind."""
    copies: dict[str, Any] = {}

    def clone(layer: Any) -> Any:
        inner = layer.layer if isinstance(layer, Worn) else layer
        copies[layer.name] = copy = type(inner).from_config(inner.get_config())
        return copy

    model = keras.models.clone_model(network, clone_function=clone)
    for layer in network.layers:
        if isinstance(layer, Reparameterized):
            final = layer.final()
            weights = [final if weight is layer.layer.kernel else weight.numpy() for weight in layer.layer.weights]
            copies[layer.name].set_weights(weights)
        elif layer.weights:
            copies[layer.name].set_weights(layer.get_weights())
    return attach_metadata(model, metadata_of(network))


def wrappers_of(network: Any) -> list[Any]:
    """Every wrapper of a network, in its order."""
    return [layer for layer in flat_layers(network) if isinstance(layer, Reparameterized)]


def while_training(training: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """``yes()`` in training and ``no()`` otherwise, whether ``training`` is known when the graph is made or not."""
    if tf.is_tensor(training):
        return tf.cond(tf.cast(training, tf.bool), yes, no)
    return yes() if training else no()


@contextmanager
def replaced(layer: Any, **attributes: Any) -> Iterator[None]:
    """Lend a layer other values of these attributes, past Keras' tracking of them."""
    own = {name: layer.__dict__[name] for name in attributes}
    try:
        for name, value in attributes.items():
            set_untracked(layer, name, value)
        yield
    finally:
        for name, value in own.items():
            set_untracked(layer, name, value)


def linear(layer: Any, inputs: Any, kernel: Any) -> Any:
    """The product of ``inputs`` and ``kernel`` as ``layer`` forms it, without bias and activation."""
    with replaced(layer, kernel=kernel, use_bias=False, activation=None):
        return layer.call(inputs)


def bias_and_activation(layer: Any, values: Any) -> Any:
    """What ``layer`` does to the product with its kernel."""
    if layer.use_bias:
        values = tf.nn.bias_add(values, layer.bias)
    return values if layer.activation is None else layer.activation(values)
