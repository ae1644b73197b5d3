"""Dropout rates after pruning, against Han et al. 2015, equation 2: D_r = D_o · sqrt(C_r / C_o)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.keras import keras, tiny_dataset
from helpers.pruning import begun, shake
from helpers.training import assert_same_bits
from tfkit import training
from tfkit.pruning import finish, prepare
from tfkit.pruning.fixed import KeepZeros
from tfkit.pruning.han import Han

SEED = 19
layers = keras.layers


def dropped(*parts: Any, shape: tuple[int, ...] = (20,), rate: float = 0.5) -> Any:
    """A network whose outputs are what its dropout gives."""
    return shake(keras.Sequential([layers.Input(shape), *parts, layers.Dropout(rate, name="drop")]), SEED)


def rate_of(network: Any) -> float:
    """The rate of a network's last layer in training, from its outputs: dropout divides by 1 - rate what it keeps."""
    shape = (64, *network.input_shape[1:])
    x = np.random.default_rng(SEED).normal(size=shape).astype(np.float32)
    plain, noisy = np.asarray(network(x, training=False)), np.asarray(network(x, training=True))
    kept = (noisy != 0) & (np.abs(plain) > 1e-3)
    rates = 1 - plain[kept] / noisy[kept]
    np.testing.assert_allclose(rates, rates[0], atol=1e-4)
    share = float(np.mean(noisy[np.abs(plain) > 1e-3] == 0))
    assert share == pytest.approx(rates[0], abs=0.05), f"as many are dropped as the rate says; seed {SEED}"
    return float(rates[0])


def test_the_rate_falls_with_the_root_of_the_connections() -> None:
    pruning = begun(dropped(layers.Dense(40, name="d1")), Han(0.9), epochs=3)
    assert rate_of(pruning.network) == pytest.approx(0.5, abs=1e-4)
    (wrapper,) = pruning.wrappers
    for epoch in range(2):
        pruning.method.before_epoch(pruning, epoch)
        left = int(np.count_nonzero(wrapper.mask.numpy()))
        assert left < 20 * 40
        assert rate_of(pruning.network) == pytest.approx(0.5 * (left / (20 * 40)) ** 0.5, abs=1e-4)
    finished = finish(pruning.network)
    assert finished.get_layer("drop").rate == 0.5
    assert rate_of(finished) == pytest.approx(0.5, abs=1e-4)


def test_connections_are_those_into_what_is_dropped() -> None:
    """Behind normalization, activation, pooling and flattening, and summed where two layers are added."""
    x = inputs = layers.Input((8, 8, 2))
    x = layers.Conv2D(6, 3, name="first")(x)
    sides = [layers.Conv2D(6, 1, name="one")(x), layers.Conv2D(6, 3, padding="same", name="two")(x)]
    x = layers.MaxPooling2D()(layers.LeakyReLU()(layers.BatchNormalization(trainable=False)(layers.Add()(sides))))
    model = shake(keras.Model(inputs, layers.Dropout(0.4, name="drop")(layers.Flatten()(x))), SEED)
    for name, share in (("first", 0.9), ("one", 0.25), ("two", 0.5)):
        kernel = model.get_layer(name).kernel
        values = kernel.numpy()
        values.reshape(-1)[: round(share * values.size)] = 0
        kernel.assign(values)
    network = prepare(model, KeepZeros(), epochs=1, steps=1)
    left = 0.75 * 36 + 0.5 * 9 * 36
    assert rate_of(network) == pytest.approx(0.4 * (left / (10 * 36)) ** 0.5, abs=1e-4)


def test_what_is_not_pruned_keeps_its_dropout() -> None:
    model = dropped(layers.Dense(30, name="d1"), layers.Dense(40, name="d2"))
    kernel = model.get_layer("d1").kernel
    kernel.assign(np.where(kernel.numpy() < 0, 0, kernel.numpy()))
    network = prepare(model, KeepZeros(), epochs=1, steps=1, layers=["d1"])
    assert rate_of(network) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.slow
def test_a_run_with_dropout_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    data = tiny_dataset(SEED)

    def network() -> Any:
        parts = [layers.Conv2D(4, 3), layers.SpatialDropout2D(0.3), layers.ReLU(), layers.Flatten()]
        parts += [layers.Dense(16, "relu"), layers.Dropout(0.5), layers.Dense(3)]
        keras.utils.set_random_seed(SEED)
        return prepare(keras.Sequential([layers.Input((8, 8, 1)), *parts]), Han(0.7), epochs=3, steps=3)

    class Stopped(Exception):
        pass

    def stop(epoch: int, *_: Any) -> None:
        if epoch == 2:
            raise Stopped

    settings = {"epochs": 3, "batch_size": 16, "seed": SEED}
    whole, resumed = network(), network()
    training.fit(whole, data, **settings)
    with pytest.raises(Stopped):
        training.fit(resumed, data, checkpoint=tmp_path / "c", progress=stop, **settings)
    resumed = network()
    training.fit(resumed, data, checkpoint=tmp_path / "c", **settings)
    assert_same_bits(whole.get_weights(), resumed.get_weights(), f"seed {SEED}")
