"""What is chosen holds to the share of MACs, to multiples, and to what the scores say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.keras import keras
from tfkit._errors import DataError, UnsupportedError, UsageError
from tfkit.layers import QuantConv2D
from tfkit.pruning.shrink import filter_norms, select, shrink

layers = keras.layers


def chain(*filters: int) -> Any:
    x = inputs = layers.Input((8, 8, 3))
    for number, count in enumerate(filters):
        x = layers.Conv2D(count, 3, padding="same", activation="relu", name=f"conv{number}")(x)
    return keras.Model(inputs, layers.Dense(4, name="dense")(layers.GlobalAveragePooling2D()(x)), name="chain")


def rising(model: Any, *names: str) -> dict[str, np.ndarray]:
    """The last channel of each layer is worth most."""
    return {name: np.arange(model.get_layer(name).filters, dtype=float) for name in names}


@pytest.mark.parametrize("scope", ["global", "uniform"])
@pytest.mark.parametrize("target", [0.9, 0.5, 0.2])
def test_share_and_multiples(scope: str, target: float) -> None:
    model = chain(32, 64, 48)
    keep = select(model, rising(model, "conv0", "conv1", "conv2"), target, multiple_of=4, scope=scope)
    found = shrink(model, keep=keep)
    assert found.before is not None
    assert found.after is not None
    share = found.after.macs / found.before.macs
    assert 0.8 * target < share <= target
    assert found.kept == keep
    for name, kept in keep.items():
        filters = model.get_layer(name).filters
        assert len(kept) % 4 == 0
        assert kept == list(range(filters - len(kept), filters))


def test_uniform_takes_the_same_share_of_each_layer() -> None:
    model = chain(32, 64, 128)
    scores = {
        name: (values + 1) * 1000**number
        for number, (name, values) in enumerate(rising(model, "conv0", "conv1", "conv2").items())
    }
    keep = select(model, scores, 0.3, multiple_of=1, scope="uniform")
    shares = [len(keep[f"conv{number}"]) / count for number, count in enumerate((32, 64, 128))]
    assert max(shares) - min(shares) < 2 / 32
    # The same numbers across all layers leave the layer whose channels are worth most whole.
    assert "conv2" not in select(model, scores, 0.8, multiple_of=1)


def test_least_important_channels_of_a_sum_go() -> None:
    """A coupled channel is worth what its members are worth together."""
    inputs = layers.Input((8, 8, 3))
    one, two = (layers.Conv2D(4, 1, name=name)(inputs) for name in ("one", "two"))
    model = keras.Model(inputs, layers.Conv2D(5, 1, name="end")(layers.Add()([one, two])))
    keep = select(model, {"one": [0, 3, 1, 9], "two": [5, 1, 2, 9]}, 0.5, multiple_of=1)
    assert keep == {"one": [0, 3], "two": [0, 3]}


def test_scores_of_normalizations() -> None:
    x = inputs = layers.Input((8, 8, 3))
    x = layers.BatchNormalization(name="bn")(layers.Conv2D(8, 3, name="a")(x))
    model = keras.Model(inputs, layers.Conv2D(4, 3, name="b")(layers.ReLU()(x)))
    assert select(model, {"bn": [8, 7, 6, 5, 1, 2, 3, 4]}, 0.5, multiple_of=1) == {"a": [0, 1, 2, 3]}


def test_counts_are_those_of_count() -> None:
    """Layers that count by other formulas: depthwise, separable, grouped, transposed, behind a flatten."""
    x = inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(16, 3, name="a")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = layers.SeparableConv2D(16, 3, depth_multiplier=2, padding="same", name="separable")(x)
    x = layers.Conv2D(24, 1, groups=4, name="grouped")(x)
    x = layers.Conv2DTranspose(12, 3, 2, name="transposed")(x)
    x = layers.Dense(10, name="dense")(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(4, name="logits")(x))
    names = ("a", "separable", "grouped", "transposed")
    before = tfkit.count(model).macs
    for target in (0.9, 0.7, 0.5, 0.3, 0.15):
        keep = select(model, rising(model, *names), target, multiple_of=1)
        assert tfkit.count(shrink(model, keep=keep).model).macs <= target * before


def test_groups_stay_equal() -> None:
    """Every group of a convolution loses as many inputs, and as many outputs, whatever the scores say."""
    x = inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(32, 1, name="reduce")(x)
    x = layers.Conv2D(64, 3, groups=8, name="grouped")(x)
    model = keras.Model(inputs, layers.Conv2D(4, 1, name="end")(x))
    keep = select(model, rising(model, "reduce", "grouped"), 0.5, multiple_of=8, scope="uniform")
    for name, filters in (("reduce", 32), ("grouped", 64)):
        parts = np.bincount(np.array(keep[name]) // (filters // 8), minlength=8)
        assert len(set(parts)) == 1
        # Of its group each keeps those that are worth most.
        assert keep[name] == [at for at in range(filters) if at % (filters // 8) >= filters // 8 - parts[0]]
    found = shrink(model, keep=keep)
    assert found.kept == keep
    assert found.after is not None
    assert found.before is not None
    assert found.after.macs <= 0.5 * found.before.macs


def test_norms_of_filters() -> None:
    model = chain(3)
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[0, 1, 2] = [3, 0, 4]
    kernel[2, 2, 1, 2] = 3
    model.get_layer("conv0").kernel.assign(kernel)
    found = filter_norms(model)
    assert list(found) == ["conv0"]  # the last layer keeps its classes
    np.testing.assert_allclose(found["conv0"], np.array([3, 0, 5]) / np.sqrt((9 + 25) / 3), rtol=1e-6)


def test_nothing_to_do() -> None:
    model = chain(8, 8)
    assert select(model, rising(model, "conv0"), 1.0) == {}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"target_macs": 0}, UsageError, r"target_macs is a share of the model's MACs, in \(0, 1\]; got 0"),
        ({"target_macs": 50}, UsageError, r"got 50"),
        ({"multiple_of": 0}, UsageError, r"multiple_of is a number of channels, at least 1; got 0"),
        ({"scope": "local"}, UsageError, r"scope is one of global, uniform; got 'local'"),
        ({"target_macs": 0.01}, UsageError, r"the least is \d+\.\d% with multiple_of=8; try a smaller multiple_of"),
        ({"scores": {"conv9": [1]}}, UsageError, r"no layer 'conv9'; those with channels are conv0, conv1, dense"),
        (
            {"scores": {"conv0": [1, 2]}},
            DataError,
            r"one finite number for each of 16 channels; got an array of shape \(2,\)",
        ),
        ({"scores": {"conv0": [np.nan] * 16}}, DataError, r"one finite number"),
        (
            {"scores": {"dense": [1] * 4}},
            UnsupportedError,
            r"no channel with a score may go.*\n  - 'dense' is an output of the model$",
        ),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    model = chain(16, 16)
    scores = arguments.pop("scores", rising(model, "conv0", "conv1"))
    with pytest.raises(error, match=message):
        select(model, scores, **arguments)


def test_binary_layers_are_refused() -> None:
    x = inputs = layers.Input((8, 8, 3))
    x = QuantConv2D(32, 3, input_quantizer="ste_sign", kernel_quantizer="ste_sign", name="binary")(x)
    model = keras.Model(inputs, layers.Conv2D(4, 1, name="end")(x))
    with pytest.raises(UnsupportedError, match=r"'binary' \(QuantConv2D\) cannot be pruned: .* sign\(0\) = \+1"):
        select(model, {"binary": np.ones(32)})


def test_open_shapes_are_named() -> None:
    x = inputs = layers.Input((None, None, 3))
    x = layers.Conv2D(8, 3, name="a")(x)
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="b")(x)))
    with pytest.raises(UnsupportedError, match=r"'a' has the open shape \(None, None, None, 8\)"):
        select(model, {"a": np.ones(8)})
    assert shrink(model, keep={"a": [1, 2]}).after is None


def test_without_scores_the_message_says_what_keeps_all() -> None:
    x = inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(32, 3, name="stem")(x)
    x = QuantConv2D(32, 3, input_quantizer="ste_sign", kernel_quantizer="ste_sign", name="binary")(x)
    model = keras.Model(inputs, layers.Conv2D(4, 1, name="end")(x))
    with pytest.raises(UnsupportedError, match=r"no channel may go; .*\n  - 'binary' \(QuantConv2D\) reads them: "):
        select(model, filter_norms(model))
