from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from helpers.keras import keras
from tfkit.metadata import ModelMetadata, attach_metadata, metadata_of
from tfkit.quantization.flatten import flatten

SEED = 11
layers = keras.layers


def inner(name: str, outputs: int = 1) -> Any:
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    x = layers.Dense(4, name="shared_name")(layers.Add(name="sum")([a, b]))
    results = [layers.ReLU(name=f"out{n}")(x) * float(n + 1) for n in range(outputs)]
    return keras.Model([a, b], results if outputs > 1 else results[0], name=name)


def nested() -> Any:
    keras.utils.set_random_seed(SEED)
    first, second = layers.Input((4,), name="first"), layers.Input((4,), name="second")
    two = inner("two", 2)
    deep_input = layers.Input((4,))
    deep = keras.Model(deep_input, inner("one")([deep_input, deep_input]), name="deep")
    x, y = two([first, second])
    again, _ = two([x, y])
    z = keras.Sequential([layers.Input((4,)), deep, layers.Dense(3, name="head")], name="sequence")(again)
    return keras.Model([first, second], [z, layers.Dense(2, name="shared_name")(y)], name="outer")


def data(model: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(SEED)
    return [rng.normal(size=(5, *t.shape[1:])).astype(np.float32) for t in model.inputs]


def test_computes_the_same_through_every_kind_of_nesting() -> None:
    model = nested()
    flat = flatten(model)
    assert not any(isinstance(layer, keras.Model) for layer in flat.layers)
    for wanted, got in zip(model.predict(data(model), verbose=0), flat.predict(data(model), verbose=0), strict=True):
        np.testing.assert_array_equal(got, wanted, f"seed {SEED}")


def test_layers_of_a_model_that_is_called_twice_stay_shared() -> None:
    model = nested()
    assert flatten(model).count_params() == model.count_params()
    assert len(flatten(model).trainable_weights) == len(model.trainable_weights)


def test_names_are_unique_stable_and_those_of_the_outer_model_are_kept() -> None:
    model = nested()
    names = [layer.name for layer in flatten(model).layers]
    assert len(set(names)) == len(names)
    assert {"first", "second", "head", "shared_name"} <= set(names)
    assert "two_shared_name" in names
    assert names == [layer.name for layer in flatten(model).layers]


def test_metadata_is_kept_and_the_model_left_alone() -> None:
    known = ModelMetadata("mine", "float32")
    model = attach_metadata(nested(), known)
    before = [weight.copy() for weight in model.get_weights()]
    flat = flatten(model)
    assert metadata_of(flat) == known
    flat.set_weights([weight + 1 for weight in flat.get_weights()])
    for weight, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, now)


def test_operators_keep_their_arguments() -> None:
    i = layers.Input((6, 6, 4))
    a, b = tf.split(i, 2, axis=-1)
    x = tf.concat([b[:, ::2], 1.0 - a[:, 1::2]], -1)
    model = keras.Model(i, tf.reshape(x, (tf.shape(x)[0], -1)))
    np.testing.assert_array_equal(flatten(model)(data(model)[0]), model(data(model)[0]))
    outer = keras.Sequential([layers.Input((6, 6, 4)), model])
    np.testing.assert_array_equal(flatten(outer)(data(model)[0]), model(data(model)[0]))


def test_mixed_precision_becomes_float32() -> None:
    i = layers.Input((4,))
    x = layers.Dense(3, dtype="mixed_float16")(i)
    model = keras.Model(i, layers.Activation("linear", dtype="float32")(x))
    flat = flatten(model)
    assert {layer.compute_dtype for layer in flat.layers} == {"float32"}
    np.testing.assert_allclose(flat(data(model)[0]), model(data(model)[0]), atol=4 * 2.0**-11)
