from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.keras import keras, tiny_dataset
from helpers.pruning import convolutional
from tfkit import models
from tfkit._errors import UnsupportedError, UsageError
from tfkit.metadata import metadata_of
from tfkit.pruning import callbacks, is_pruned, prune, sparsity, strip

SEED = 13
layers = keras.layers


def network() -> Any:
    return convolutional(SEED)


def binary() -> Any:
    return models.build("small_cnn", scheme="binary", classes=3, seed=SEED)


def train(model: Any, epochs: int = 6) -> Any:
    data = tiny_dataset(SEED)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(data.x_train / 16, data.y_train, batch_size=8, epochs=epochs, callbacks=callbacks(), verbose=0)
    return model


@pytest.fixture(scope="module")
def trained() -> tuple[Any, list[np.ndarray], Any]:
    """A model, its weights before, and what came of pruning it for 24 of 36 steps."""
    model = network()
    before = [weight.copy() for weight in model.get_weights()]
    return model, before, train(prune(model, 0.75, end_step=24, frequency=4))


def test_reaches_the_sparsity_and_keeps_it_when_stripped(trained: tuple[Any, list[np.ndarray], Any]) -> None:
    model, _, pruned = trained
    stripped = strip(pruned)
    for name, share in sparsity(stripped).items():
        # The threshold is a quantile: at most one weight per kernel short of it.
        count = np.prod(stripped.get_layer(name).get_weights()[0].shape)
        assert abs(share - 0.75) <= 1.5 / count, name
    assert not is_pruned(stripped)
    assert [layer.name for layer in stripped.layers] == [layer.name for layer in model.layers]
    data = tiny_dataset(SEED)
    np.testing.assert_array_equal(stripped(data.x_test), pruned(data.x_test, training=False))


def test_leaves_the_model_alone_and_keeps_metadata(trained: tuple[Any, list[np.ndarray], Any]) -> None:
    model, before, pruned = trained
    data = tiny_dataset(SEED)
    np.testing.assert_array_equal(prune(model, 0.5)(data.x_test, training=False), model(data.x_test))
    assert metadata_of(pruned) == metadata_of(model) == metadata_of(strip(pruned))
    for weight, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, now)


def test_strip_masks_what_the_last_step_filled() -> None:
    pruned = prune(network(), 0.5)
    rng = np.random.default_rng(SEED)
    for wrapper in (layer for layer in pruned.layers if getattr(layer, "pruning_vars", None)):
        ((weight, mask, _),) = wrapper.pruning_vars
        mask.assign((rng.random(mask.shape) < 0.5).astype(np.float32))
        weight.assign(np.full(weight.shape, 0.01, np.float32))
    assert min(sparsity(strip(pruned)).values()) > 0.4


def test_blocks_are_zero_together() -> None:
    inputs = layers.Input((16,))
    model = keras.Model(inputs, layers.Dense(8, name="wide")(inputs))
    pruned = prune(model, 0.5, end_step=4, frequency=1, block_size=(4, 2))
    pruned.compile("adam", "mse")
    x = np.random.default_rng(SEED).normal(size=(64, 16)).astype(np.float32)
    pruned.fit(x, x[:, :8], batch_size=8, callbacks=callbacks(), verbose=0)
    kernel = strip(pruned).get_weights()[0]
    blocks = (kernel == 0).reshape(4, 4, 4, 2).transpose(0, 2, 1, 3).reshape(16, 8)
    assert set(np.sum(blocks, axis=1)) == {0, 8}
    assert np.mean(blocks) == 0.5


def test_refuses_binary_kernels_with_the_reason() -> None:
    with pytest.raises(UnsupportedError, match="cannot prune") as caught:
        prune(binary())
    for name in ("block1a", "block1b", "block2a", "block2b"):
        assert f"{name!r} has a binary kernel: sign(0) = +1" in str(caught.value)
    with pytest.raises(UnsupportedError, match=r"'block1a' has a binary kernel: sign\(0\)"):
        prune(binary(), layers=["stem", "block1a"])


def test_prunes_the_float_layers_of_a_binary_model_when_asked() -> None:
    stripped = strip(train(prune(binary(), 0.8, end_step=10, frequency=2, layers="float"), 3))
    shares = sparsity(stripped)
    assert set(shares) == {"stem", "transition2", "logits"}
    assert all(abs(share - 0.8) < 0.01 for share in shares.values())
    assert not np.any(stripped.get_layer("block1a").get_weights()[0] == 0)


def test_prunes_named_layers_only() -> None:
    stripped = strip(train(prune(network(), 0.8, end_step=10, frequency=2, layers=["logits"]), 3))
    shares = sparsity(stripped)
    assert shares["logits"] > 0.7
    assert all(share < 0.1 for name, share in shares.items() if name != "logits")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sparsity": 1.0}, r"inside \(0, 1\); got 1.0"),
        ({"sparsity": 0.0}, r"inside \(0, 1\); got 0.0"),
        ({"begin_step": 5, "end_step": 5}, "0 <= begin_step < end_step; got 5 and 5"),
        ({"frequency": 0}, "at least 1; got 0"),
        ({"block_size": (0, 1)}, r"block_size is \(inputs, outputs\)"),
        ({"layers": "binary"}, "'all', 'float' or a list"),
        ({"layers": ["nope"]}, "no layer 'nope'; it has image, stem"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        prune(network(), **arguments)


def test_nothing_is_skipped_silently() -> None:
    inputs = layers.Input((6, 4))
    x = layers.LSTM(4, name="memory")(inputs)
    model = keras.Model(inputs, layers.Dense(2)(x))
    with pytest.raises(UnsupportedError, match=r"'memory' \(LSTM\) has weights that pruning does not know"):
        prune(model)
    with pytest.raises(UnsupportedError, match="'stem' is no dense layer or 1x1 convolution"):
        prune(network(), block_size=(4, 1))
    with pytest.raises(UnsupportedError, match=r"'pool' \(GlobalAveragePooling2D\) has no kernel"):
        prune(network(), layers=["pool"])


def test_twice_is_refused_and_stripping_is_idempotent() -> None:
    pruned = prune(network(), 0.5)
    with pytest.raises(UnsupportedError, match="is being pruned already"):
        prune(pruned)
    plain = network()
    assert strip(plain) is plain
