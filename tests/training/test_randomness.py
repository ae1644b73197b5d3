from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.keras import keras
from tfkit.training.randomness import derived_seed, replayable

SEED = 5
layers = keras.layers


class OwnNoise(layers.Layer):  # type: ignore[name-defined, misc]
    """A layer of a user, which calls tf.random itself."""

    def call(self, inputs: Any, training: Any = None) -> Any:
        import tensorflow as tf

        return inputs + tf.random.uniform(tf.shape(inputs)) if training else inputs


RANDOM = {
    "Dropout": lambda: layers.Dropout(0.5),
    "Dropout with a seed": lambda: layers.Dropout(0.5, seed=3),
    "SpatialDropout1D": lambda: layers.SpatialDropout1D(0.5),
    "GaussianNoise": lambda: layers.GaussianNoise(0.5),
    "GaussianDropout": lambda: layers.GaussianDropout(0.5),
    "AlphaDropout": lambda: layers.AlphaDropout(0.5),
    "OwnNoise": OwnNoise,
}


def trace(make: Any, epochs: list[int]) -> list[np.ndarray]:
    """The weights of a linear layer behind a random one after each of these epochs, each from the same start."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([layers.Input((6, 4)), make(), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    start = model.get_weights()
    x = np.random.default_rng(SEED).normal(size=(32, 6, 4)).astype(np.float32)
    found = []
    with replayable(model) as randomness:
        for epoch in epochs:
            model.set_weights(start)
            randomness.start(SEED, epoch)
            model.fit(x, x[:, 0, :1], batch_size=8, shuffle=False, verbose=0)
            found.append(model.get_weights()[0])
    return found


@pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM)
def test_an_epoch_depends_on_its_number_only(make: Any) -> None:
    first, second, again = trace(make, [0, 1, 0])
    (alone,) = trace(make, [1])
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(second, alone)
    assert np.any(first != second)


def test_layers_get_their_generators_back() -> None:
    dropout = layers.Dropout(0.5, seed=3)
    model = keras.Sequential([layers.Input((4,)), dropout])
    config, original = model.get_config(), dropout._random_generator

    def train() -> None:
        with replayable(model):
            assert dropout._random_generator is not original
            raise RuntimeError("in training")

    with pytest.raises(RuntimeError, match="in training"):
        train()
    assert dropout._random_generator is original
    assert model.get_config() == config
    assert not model.weights


def test_layers_draw_for_themselves() -> None:
    inputs = layers.Input((100,))
    model = keras.Model(inputs, [layers.Dropout(0.5)(inputs), layers.Dropout(0.5)(inputs)])
    with replayable(model) as randomness:
        randomness.start(SEED, 0)
        first, second = model(np.ones((1, 100), np.float32), training=True)
    assert np.any(first != second)


def test_derived_seeds_do_not_collide() -> None:
    seeds = {derived_seed(seed, epoch) for seed in (-1, 0, 1, 2**40) for epoch in range(50)}
    assert len(seeds) == 200
