from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from helpers.keras import keras, tiny_dataset
from tfkit import models, training
from tfkit._errors import DataError, UsageError
from tfkit.pruning import prune, sparsity, strip
from tfkit.quantization import quantize_aware, tfmot

SEED = 19


def network(scheme: str = "float32", **arguments: Any) -> Any:
    return models.build("small_cnn", scheme=scheme, classes=3, seed=SEED, **arguments)


def test_learns_and_reports() -> None:
    seen: list[tuple[int, int, float]] = []
    data = tiny_dataset(SEED, samples=192)
    model = network()
    history = training.fit(
        model, data, epochs=6, batch_size=16, progress=lambda epoch, of, logs: seen.append((epoch, of, logs["loss"]))
    )
    assert [epoch for epoch, _, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert all(of == 6 for _, of, _ in seen)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["loss"] == pytest.approx([loss for _, _, loss in seen])
    assert history["loss"][-1] < history["loss"][0] / 2
    assert training.accuracy(model, data.x_test, data.y_test) == pytest.approx(history["val_accuracy"][-1])
    assert history["val_accuracy"][-1] > 0.8, f"seed {SEED}"


def test_one_seed_one_result() -> None:
    data = tiny_dataset(SEED)

    def weights(seed: int) -> list[np.ndarray]:
        model = network("binary")
        training.fit(model, data, epochs=2, batch_size=16, seed=seed)
        return list(model.get_weights())

    first, second, other = weights(1), weights(1), weights(2)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(np.any(a != b) for a, b in zip(first, other, strict=True))


def test_binary_kernels_stay_clipped() -> None:
    model = network("binary")
    training.fit(model, tiny_dataset(SEED), epochs=2, batch_size=8, learning_rate=0.5)
    assert np.abs(model.get_layer("block1a").get_weights()[0]).max() == 1.0


def test_ranges_of_int8_models_follow_the_data() -> None:
    data = tiny_dataset(SEED)
    model = network()
    training.fit(model, data, epochs=4, batch_size=16)
    aware = quantize_aware(model)
    training.fit(aware, data, epochs=1, batch_size=16)
    ranges = [(float(r.minimum.numpy()), float(r.maximum.numpy())) for r in tfmot.activation_ranges(aware)]
    assert (-6.0, 6.0) not in ranges
    assert ranges[0] == pytest.approx((0.0, float(data.x_train.max() / 16)), abs=1e-3)
    floats = training.accuracy(model, data.x_test, data.y_test)
    assert training.accuracy(aware, data.x_test, data.y_test) >= floats - 0.1


def test_pruned_models_get_their_step_counter() -> None:
    model = prune(network(), 0.6, end_step=6, frequency=2)
    training.fit(model, tiny_dataset(SEED), epochs=2, batch_size=8)
    assert min(sparsity(strip(model)).values()) > 0.59


def test_softmax_outputs_are_no_logits() -> None:
    inputs = keras.layers.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    for last in (keras.layers.Dense(3, activation="softmax"), keras.layers.Softmax()):
        y = last(x if isinstance(last, keras.layers.Dense) else keras.layers.Dense(3)(x))
        model = keras.Model(inputs, y)
        training.fit(model, tiny_dataset(SEED), epochs=1)
        assert model.loss.get_config()["from_logits"] is False
    linear = network()
    training.fit(linear, tiny_dataset(SEED), epochs=1)
    assert linear.loss.get_config()["from_logits"] is True


def test_what_does_not_fit_is_refused() -> None:
    data = tiny_dataset(SEED)
    with pytest.raises(DataError, match=r"takes samples of shape \(16, 16, 1\), the data has \(8, 8, 1\)"):
        training.fit(network(input_shape=(16, 16, 1)), data)
    with pytest.raises(DataError, match="the data has 10 classes, the model 3 outputs"):
        training.fit(network(), dataclasses.replace(data, classes=10))
    with pytest.raises(DataError, match="hand over the raw data"):
        training.fit(network(), dataclasses.replace(data, x_train=data.x_train * 16))
    with pytest.raises(UsageError, match="must be positive; got 0, 64"):
        training.fit(network(), data, epochs=0)
    with pytest.raises(UsageError, match="classifiers with one input"):
        training.fit(keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(1, 1)]), data)


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "wanted"), [("float32", 0.97), ("binary", 0.95)])
def test_digits(scheme: str, wanted: float) -> None:
    from tfkit.data import load

    data = load("digits")
    model = models.build("small_cnn", scheme=scheme, seed=0)
    training.fit(model, data)
    assert training.accuracy(model, data.x_test, data.y_test) > wanted
