from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.keras import keras
from tfkit._errors import DataError
from tfkit.quantization import calibrate, quantize_aware, tfmot

SEED = 5
layers = keras.layers


def network() -> Any:
    keras.utils.set_random_seed(SEED)
    inputs = layers.Input((4,))
    x = layers.Dense(8, name="first")(inputs)
    return keras.Model(inputs, layers.Dense(3, name="second")(layers.ReLU(name="relu")(x)))


def samples() -> np.ndarray:
    return np.random.default_rng(SEED).normal(0, 20, (300, 4)).astype(np.float32)


def test_ranges_are_those_of_the_data() -> None:
    model, x = network(), samples()
    aware = calibrate(quantize_aware(model), x)
    given, hidden, result = tfmot.activation_ranges(aware)
    assert given.minimum.numpy() == pytest.approx(x.min())
    assert given.maximum.numpy() == pytest.approx(x.max())
    # Seen through quantized inputs and weights, both of 8 bits: within some steps of the float values.
    relu = keras.Model(model.inputs, model.get_layer("relu").output).predict(x, verbose=0)
    assert hidden.minimum.numpy() == 0
    assert hidden.maximum.numpy() == pytest.approx(relu.max(), rel=0.03)
    outputs = model.predict(x, verbose=0)
    assert result.minimum.numpy() == pytest.approx(outputs.min(), rel=0.05)
    np.testing.assert_allclose(aware.predict(x, verbose=0), outputs, atol=0.03 * np.abs(outputs).max())


def test_without_it_the_ranges_clip() -> None:
    x = samples()
    assert (
        np.abs(quantize_aware(network()).predict(x, verbose=0)).max()
        < 7
        < np.abs(network().predict(x, verbose=0)).max()
    )


def test_batches_do_not_matter() -> None:
    aware = quantize_aware(network())
    found = []
    for batch_size in (300, 7):
        calibrate(aware, samples(), batch_size=batch_size)
        found.append([float(r.maximum.numpy()) for r in tfmot.activation_ranges(aware)])
    # Later batches are seen through ranges that have grown; a handful of steps at most.
    np.testing.assert_allclose(found[0], found[1], rtol=0.02)


def test_a_dead_activation_gets_a_range() -> None:
    inputs = layers.Input((4,))
    model = keras.Model(inputs, layers.ReLU()(layers.Dense(2, kernel_initializer="zeros")(inputs)))
    outputs = calibrate(quantize_aware(model), samples()).predict(samples(), verbose=0)
    np.testing.assert_array_equal(outputs, 0)


@pytest.mark.parametrize(
    "bad",
    [np.zeros((0, 4)), np.zeros((5, 3)), np.zeros(4), np.full((2, 4), np.nan)],
    ids=["none", "wide", "flat", "nan"],
)
def test_bad_data_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(DataError, match="calibration data of shape"):
        calibrate(quantize_aware(network()), bad)


def test_quantizers_are_back_after_an_error() -> None:
    aware = quantize_aware(network())
    before = [found.quantizer for found in tfmot.activation_ranges(aware)]
    aware.call = None
    with pytest.raises(Exception, match="not a callable"):
        calibrate(aware, samples())
    assert [found.quantizer for found in tfmot.activation_ranges(aware)] == before
