"""Activations are known by their values, whatever their spelling."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from helpers.keras import keras
from tfkit.quantization.activations import Function, recognise

SPELLINGS: dict[str, list[Any]] = {
    "linear": [keras.activations.linear, tf.identity, tf.stop_gradient],
    "relu": [keras.activations.relu, tf.nn.relu, lambda x: tf.maximum(x, 0.0)],
    "hard_swish": [
        lambda x: x * tf.nn.relu6(x + 3.0) / 6.0,
        lambda x: x * (tf.nn.relu6(x + 3.0) * (1.0 / 6.0)),
        lambda x: x * tf.clip_by_value(x / 6.0 + 0.5, 0.0, 1.0),
    ],
    "swish": [keras.activations.swish, tf.nn.silu, lambda x: x * tf.sigmoid(x)],
    "sigmoid": [keras.activations.sigmoid, tf.sigmoid],
    "tanh": [keras.activations.tanh],
    "softmax": [keras.activations.softmax, keras.layers.Softmax()],
    "gelu": [keras.activations.gelu],
    "gelu_tanh": [lambda x: keras.activations.gelu(x, approximate=True)],
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(name: str) -> None:
    assert [recognise(function) for function in SPELLINGS[name]] == [Function(name)] * len(SPELLINGS[name])


def test_pieces_are_measured() -> None:
    assert recognise(tf.nn.relu6) == Function("relu", top=6.0)
    assert recognise(keras.layers.ReLU(2.0)) == Function("relu", top=2.0)
    keras_form, mobile_form = recognise(keras.activations.hard_sigmoid), recognise(lambda x: tf.nn.relu6(x + 3) / 6)
    assert keras_form is not None
    assert mobile_form is not None
    assert (keras_form.name, keras_form.slope, keras_form.offset) == ("clip", pytest.approx(0.2), pytest.approx(0.5))
    assert (mobile_form.name, mobile_form.slope) == ("clip", pytest.approx(1 / 6))
    leaky = recognise(keras.layers.LeakyReLU(0.1))
    assert leaky is not None
    assert (leaky.name, leaky.slope) == ("leaky_relu", pytest.approx(0.1))


@pytest.mark.parametrize("name", ["elu", "selu", "softplus", "softsign", "exponential", "mish"])
def test_what_has_no_int8_kernel_is_not_known(name: str) -> None:
    assert recognise(keras.activations.get(name)) is None


def test_a_softmax_is_over_the_last_axis() -> None:
    for rank in (2, 3, 4):
        for axis in range(1, rank):
            known = Function("softmax") if axis == rank - 1 else None
            for function in (lambda x, axis=axis: tf.nn.softmax(x, axis), keras.layers.Softmax(axis)):
                assert recognise(function, rank) == known, (rank, axis)


def test_what_is_no_activation_is_not_known() -> None:
    assert recognise(lambda x: tf.reduce_sum(x)) is None
    assert recognise(lambda x: tf.reshape(x, (3, 5))) is None
