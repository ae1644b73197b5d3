"""What tfkit uses of Keras beyond its public names is where it was."""

from __future__ import annotations

from helpers.keras import keras
from tfkit._keras import call_count, flat_layers, is_keras_tensor, node_of, set_untracked

layers = keras.layers


def test_flat_layers_open_models_and_wrappers() -> None:
    inside = layers.Input((4, 3))
    inner = keras.Model(inside, layers.TimeDistributed(layers.Dense(2, name="deep"), name="wrapper")(inside))
    i = layers.Input((4, 3))
    names = [layer.name for layer in flat_layers(keras.Model(i, inner(i)))]
    assert names.index("wrapper") < names.index("deep")
    assert inner.name in names


def test_call_count() -> None:
    i = layers.Input((3,))
    layer = layers.Dense(3)
    assert call_count(layer) == 0
    layer(layer(i))
    assert call_count(layer) == 2


def test_untracked_attributes_add_no_weights() -> None:
    layer = layers.Layer()
    other = layers.Dense(2)
    other.build((None, 2))
    set_untracked(layer, "guest", other)
    assert layer.guest is other
    assert not layer.weights
    layer.host = other
    assert layer.weights


def test_symbolic_tensors_know_the_call_that_made_them() -> None:
    i = layers.Input((3,))
    layer = layers.Dense(3)
    tensor = layer(i)
    node = node_of(tensor)
    assert node.layer is layer
    assert node.keras_inputs[0] is i
    assert node.call_args[0] is i
    assert node.outputs is tensor
    assert is_keras_tensor(tensor)
    assert not any(map(is_keras_tensor, (3.0, None, "x", layer.kernel.numpy(), layer.kernel)))
