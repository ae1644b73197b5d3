"""What all methods share: how they get into a network, are driven by training, and come out again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.keras import keras, tiny_dataset
from helpers.pruning import convolutional
from helpers.training import assert_same_bits
from tfkit import models, training
from tfkit._errors import ModelError, UnsupportedError, UsageError
from tfkit.metadata import metadata_of
from tfkit.pruning import METHODS, finish, is_pruned, prepare, sparsity, strip
from tfkit.pruning.dns import DynamicNetworkSurgery
from tfkit.pruning.fixed import KeepZeros
from tfkit.pruning.han import Han
from tfkit.pruning.n_of_m import NOfM
from tfkit.saving import save

SEED = 17
layers = keras.layers


def test_every_method_says_what_it_is() -> None:
    for name, method in METHODS.items():
        assert method.name == name
        assert method.aim in ("sparsity", "macs")
        assert method.summary
        assert method.source
        assert method().settings()["method"] == name


def test_the_model_is_left_alone_and_comes_back_whole() -> None:
    model = convolutional(SEED)
    before = [weight.copy() for weight in model.get_weights()]
    network = prepare(model, Han(0.5), epochs=3, steps=6)
    assert is_pruned(network)
    assert not is_pruned(model)
    data = tiny_dataset(SEED)
    np.testing.assert_array_equal(network.predict(data.x_test, verbose=0), model.predict(data.x_test, verbose=0))
    training.fit(network, data, epochs=3, batch_size=8)
    pruned = strip(network)
    assert [layer.name for layer in pruned.layers] == [layer.name for layer in model.layers]
    assert metadata_of(pruned) == metadata_of(model)
    assert not is_pruned(pruned)
    assert min(sparsity(pruned).values()) > 0
    np.testing.assert_allclose(
        pruned.predict(data.x_test, verbose=0), network.predict(data.x_test, verbose=0), rtol=1e-5, atol=1e-5
    )
    for weight, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, now)
    assert finish(model) is model


def test_fine_tuning_keeps_zeros() -> None:
    model = convolutional(SEED)
    kernel = model.get_layer("first").kernel.numpy()
    kernel[:, :, ::2] = 0
    model.get_layer("first").kernel.assign(kernel)
    network = prepare(model, KeepZeros(), epochs=1, steps=6)
    training.fit(network, tiny_dataset(SEED), epochs=1, batch_size=8)
    tuned = finish(network).get_layer("first").kernel.numpy()
    np.testing.assert_array_equal(tuned == 0, kernel == 0)
    assert np.any(tuned != kernel)


def small() -> Any:
    """The least that has two kernels to prune: what is compared are bits, and most time goes into tracing."""
    keras.utils.set_random_seed(SEED)
    parts = [layers.Flatten(), layers.Dense(12, "relu"), layers.Dense(3)]
    return keras.Sequential([layers.Input((8, 8, 1)), *parts])


class Stopped(Exception):
    """What interrupts a run."""


@pytest.mark.parametrize(
    "method",
    [
        DynamicNetworkSurgery(0.7),
        pytest.param(NOfM(1, 4), marks=pytest.mark.slow),
        pytest.param(Han(0.6), marks=pytest.mark.slow),
    ],
    ids=lambda method: method.name,
)
def test_interrupted_pruning_ends_with_the_same_bits(method: Any, tmp_path: Path) -> None:
    data = tiny_dataset(SEED)
    settings = {"epochs": 3, "batch_size": 16, "seed": SEED}
    whole = prepare(small(), method, epochs=3, steps=3)
    training.fit(whole, data, **settings)

    def interrupt(epoch: int, epochs: int, step: int, steps: int, logs: Any) -> None:
        if (epoch, step) == (2, 2):
            raise Stopped

    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(Stopped):
        training.fit(
            prepare(small(), method, epochs=3, steps=3),
            data,
            checkpoint=checkpoint,
            step_progress=interrupt,
            **settings,
        )
    resumed = prepare(small(), method, epochs=3, steps=3)
    training.fit(resumed, data, checkpoint=checkpoint, **settings)
    assert_same_bits(whole.get_weights(), resumed.get_weights(), f"seed {SEED}")


def test_binary_kernels_are_refused_with_the_reason() -> None:
    model = models.build("small_cnn", scheme="binary", classes=3, seed=SEED)
    with pytest.raises(UnsupportedError, match=r"'block1a' has a binary kernel: sign\(0\) = \+1"):
        prepare(model, Han(), epochs=1, steps=1)
    network = prepare(model, Han(), epochs=1, steps=1, layers="float")
    assert [wrapper.layer.name for wrapper in network.layers if hasattr(wrapper, "mask")] == [
        "stem",
        "transition2",
        "logits",
    ]


def test_what_cannot_be_pruned_is_named() -> None:
    inputs = layers.Input((6, 4))
    model = keras.Model(inputs, layers.Dense(2)(layers.LSTM(4, name="memory")(inputs)))
    with pytest.raises(UnsupportedError, match=r"'memory' \(LSTM\) has weights that pruning does not know"):
        prepare(model, Han(), epochs=1, steps=1)
    nested = keras.Sequential([layers.Input((4,)), keras.Sequential([layers.Dense(3)], name="inside"), layers.Dense(2)])
    with pytest.raises(UnsupportedError, match="'inside' is a model inside a model"):
        prepare(nested, Han(), epochs=1, steps=1)
    with pytest.raises(UsageError, match="no layer 'nope'"):
        prepare(convolutional(SEED), Han(), epochs=1, steps=1, layers=["nope"])
    with pytest.raises(UsageError, match="at least 1 epoch of at least 1 step; got 0 and 3"):
        prepare(convolutional(SEED), Han(), epochs=0, steps=3)
    with pytest.raises(UnsupportedError, match="is being pruned already"):
        prepare(prepare(convolutional(SEED), Han(), epochs=1, steps=1), Han(), epochs=1, steps=1)
    with pytest.raises(UnsupportedError, match="functional or sequential"):
        prepare(object(), Han(), epochs=1, steps=1)


def test_a_network_at_work_is_not_saved(tmp_path: Path) -> None:
    network = prepare(convolutional(SEED), Han(), epochs=1, steps=1)
    with pytest.raises(ModelError, match="is being pruned; save what tfkit"):
        save(network, tmp_path / "m.keras")
    save(finish(network), tmp_path / "m.keras")


def test_a_shared_layer_is_pruned_once() -> None:
    one, two = layers.Input((4,)), layers.Input((4,))
    shared = layers.Dense(5, name="shared")
    model = keras.Model([one, two], layers.Add()([shared(one), shared(two)]))
    network = prepare(model, Han(0.5), epochs=1, steps=1)
    pruned = finish(network)
    x = np.random.default_rng(SEED).normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(pruned([x[0], x[1]]), model([x[0], x[1]]), rtol=1e-6)
