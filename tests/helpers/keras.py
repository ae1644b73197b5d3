"""What layer and model tests share: data where sign functions go wrong, one test for every layer, tiny networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit.data import Dataset

keras = legacy_keras()


def values_with_edges(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Seeded values of both signs that contain exact zeros (of both signs), the clip edge and its neighbours."""
    values = np.random.default_rng(seed).uniform(-2.0, 2.0, shape).astype(np.float32)
    edges = np.array(
        [0.0, -0.0, 1.0, -1.0, np.nextafter(1, 2), np.nextafter(1, 0), -np.nextafter(1, 2), 1e-30, -1e-30], np.float32
    )
    flat = values.reshape(-1)
    places = np.random.default_rng(seed + 1).permutation(flat.size)[: max(len(edges), flat.size // 4)]
    flat[places] = np.resize(edges, len(places))
    return values


def sign(x: np.ndarray) -> np.ndarray:
    """The sign of binary networks, written out again: zero of either sign is +1."""
    return np.where(x >= 0, 1.0, -1.0).astype(np.float32)


def run_layer_test(make: Callable[[], Any], input_shape: tuple[int, ...], seed: int) -> Any:
    """Config round trip, shape inference, eager and symbolic calls, one training step; returns the built layer."""
    x = values_with_edges((2, *input_shape), seed)
    layer = make()
    eager = layer(x).numpy()
    assert layer.compute_output_shape((2, *input_shape)).as_list() == list(eager.shape)

    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    registered = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(registered) is type(layer)

    inputs = keras.layers.Input(input_shape)
    symbolic = make()
    model = keras.Model(inputs, symbolic(inputs))
    symbolic.set_weights(layer.get_weights())
    np.testing.assert_allclose(model.predict(x, verbose=0), eager, rtol=1e-6, atol=1e-6, err_msg=f"seed {seed}")

    model.compile(keras.optimizers.Adam(0.1), "mse")
    before = [weight.copy() for weight in model.get_weights()]
    model.fit(x, np.zeros_like(eager), verbose=0)
    assert any(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True)), "nothing was trained"
    return layer


def tiny_dataset(seed: int, samples: int = 96, size: int = 8, classes: int = 3) -> Dataset:
    """Images (size, size, 1) with raw values 0 to 16 whose class is where the bright bar lies."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, samples)
    images = rng.uniform(0, 6, (samples, size, size, 1))
    for image, label in zip(images, labels, strict=True):
        image[label * 2 : label * 2 + 2] += 10
    images = images.astype(np.float32)
    half = samples // 2
    return Dataset(images[:half], labels[:half], images[half:], labels[half:], classes)


def shake_normalizations(model: Any, seed: int) -> Any:
    """Give every batch normalization statistics as after training; fresh ones hide folding errors."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for weight in layer.weights:
                positive = "gamma" in weight.name or "variance" in weight.name
                low, high = (0.5, 1.5) if positive else (-0.5, 0.5)
                weight.assign(rng.uniform(low, high, weight.shape))
    return model
