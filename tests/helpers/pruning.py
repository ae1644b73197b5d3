"""Small networks and one training run for tests of pruning methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.keras import keras
from tfkit.metadata import ModelMetadata, attach_metadata
from tfkit.pruning import Method, prepare, pruning_of
from tfkit.pruning.method import Pruning

layers = keras.layers


def convolutional(seed: int, classes: int = 3) -> Any:
    """A stem, two convolutions with batch normalization, and a classifier: 8x8x1 images."""
    keras.utils.set_random_seed(seed)
    x = inputs = layers.Input((8, 8, 1), name="image")
    for name, filters, strides in (("stem", 8, 1), ("first", 16, 2), ("second", 16, 1)):
        x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False, name=name)(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="convolutional")
    return attach_metadata(model, ModelMetadata(name="convolutional"))


def dense(sizes: tuple[int, ...], seed: int) -> Any:
    """Dense layers ``d1``, ``d2``, ... with ReLU between them; logits."""
    keras.utils.set_random_seed(seed)
    x = inputs = layers.Input((sizes[0],))
    for number, size in enumerate(sizes[1:], 1):
        last = number == len(sizes) - 1
        x = layers.Dense(size, activation=None if last else "relu", name=f"d{number}")(x)
    return keras.Model(inputs, x)


def begun(model: Any, method: Method, epochs: int = 3, steps: int = 4, samples: np.ndarray | None = None) -> Pruning:
    """A method in a network, before its first step."""
    found = pruning_of(prepare(model, method, epochs=epochs, steps=steps, samples=samples))
    assert found is not None
    return found


def shake(model: Any, seed: int) -> Any:
    """Give every weight a value of its own, normalizations' variances positive ones."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = rng.normal(size=weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    return model
