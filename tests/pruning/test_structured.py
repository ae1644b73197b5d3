"""Structures of kernels, and the methods that learn which of them matter, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers.keras import keras
from helpers.pruning import begun, convolutional, dense, shake
from tfkit._errors import UnsupportedError, UsageError
from tfkit.counting import count
from tfkit.pruning.cutting import cut, cut_again
from tfkit.pruning.group_lasso import GroupLasso
from tfkit.pruning.group_vd import GroupVD
from tfkit.pruning.psp import PSP
from tfkit.pruning.slimming import NetworkSlimming
from tfkit.pruning.structures import by_filters, structures_of

SEED = 29
layers = keras.layers


def flattened(seed: int) -> Any:
    """Two convolutions that are added, a Flatten, a dense layer: one set of channels with three readers' sides."""
    keras.utils.set_random_seed(seed)
    inputs = layers.Input((4, 4, 3))
    a = layers.Conv2D(6, 3, padding="same", name="a")(inputs)
    b = layers.Conv2D(6, 3, padding="same", name="b")(layers.ReLU()(a))
    x = layers.Flatten()(layers.Add()([a, b]))
    return keras.Model(inputs, layers.Dense(5, name="out")(x))


def test_channels_are_structures_where_they_are_read() -> None:
    parts = structures_of(flattened(SEED), "all", "channel")
    # The image's channels stay; a's are read by b and, added to b's, by out: 16 features a channel.
    assert set(parts) == {"b", "out"}
    assert parts["b"].count == parts["out"].count == 6
    np.testing.assert_array_equal(parts["out"].places[:, 0], np.tile(np.arange(6), 16))
    kernel = np.random.default_rng(SEED).normal(size=(96, 5)).astype(np.float32)
    by_hand = [sum(kernel[feature * 6 + channel].sum() for feature in range(16)) for channel in range(6)]
    np.testing.assert_allclose(parts["out"].sums(kernel), by_hand, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(parts["out"].sizes((96, 5)), [80] * 6)
    spread = np.asarray(parts["out"].spread(tf.constant(np.arange(6.0, dtype=np.float32))))
    np.testing.assert_array_equal(spread[:, 0], np.tile(np.arange(6), 16))


def test_what_reads_a_channel_decides_what_it_is_worth() -> None:
    model = flattened(SEED)
    parts = structures_of(model, "all", "channel")
    rng = np.random.default_rng(SEED)
    scores = {name: rng.uniform(size=6) for name in parts}
    found = by_filters(model, scores, parts)
    assert len(found) == 1
    (worth,) = found.values()
    np.testing.assert_allclose(worth, scores["b"] + scores["out"])


def grouped(seed: int) -> Any:
    """A convolution whose eight channels the next one reads in four groups, and nobody else."""
    keras.utils.set_random_seed(seed)
    inputs = layers.Input((4, 4, 3))
    x = layers.ReLU()(layers.Conv2D(8, 3, padding="same", name="a")(inputs))
    x = layers.Conv2D(12, 3, padding="same", groups=4, name="b")(x)
    return keras.Model(inputs, layers.Dense(5, name="out")(layers.GlobalAveragePooling2D()(x)))


def test_a_channel_is_read_by_its_group_only() -> None:
    model = grouped(SEED)
    part = structures_of(model, "all", "channel")["b"]
    kernel = np.random.default_rng(SEED).normal(size=(3, 3, 2, 12)).astype(np.float32)
    # Two channels and three outputs a group.
    by_hand = [kernel[:, :, c % 2, 3 * (c // 2) : 3 * (c // 2) + 3].sum() for c in range(8)]
    np.testing.assert_allclose(part.sums(kernel), by_hand, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(part.sizes(kernel.shape), [27] * 8)
    scores = {"b": np.arange(8.0)}
    np.testing.assert_array_equal(by_filters(model, scores, {"b": part})["a"], np.arange(8.0))


@pytest.mark.parametrize("method", [PSP(), GroupLasso(), GroupVD()], ids=lambda method: method.name)
def test_channels_of_grouped_convolutions_are_cut(method: Any) -> None:
    model = shake(grouped(SEED), SEED)
    network = begun(model, method).network
    x = np.random.default_rng(SEED).normal(size=(2, 4, 4, 3)).astype(np.float32)
    assert network(x, training=True).shape == (2, 5)
    small, _ = cut(network, 0.6, multiple_of=1)
    assert count(small).macs <= 0.6 * count(model).macs
    assert small.get_layer("a").filters < 8


def test_positions_and_blocks() -> None:
    model = convolutional(SEED)
    positions = structures_of(model, "all", "kernel")
    assert set(positions) == {"stem", "first", "second"}
    np.testing.assert_array_equal(positions["first"].places[:, :, 0, 0], np.arange(9).reshape(3, 3))
    blocks = structures_of(model, "all", "group", group=8)
    assert set(blocks) == {"second"}
    places = blocks["second"].places
    assert [places[0, 0], places[7, 7], places[0, 8], places[8, 0], places[15, 15]] == [0, 0, 1, 2, 3]


def test_psp_scales_structures_and_its_gradient_is_the_sum() -> None:
    method = PSP(threshold=0.3)
    pruning = begun(shake(dense((5, 6, 3), SEED), SEED), method)
    (wrapper,) = pruning.wrappers  # the first layer reads the network's inputs
    alpha = np.array([1.0, 0.2, -0.8, -0.29, 0.3, 0.0], np.float32)
    wrapper.parameter.assign(alpha)
    nu = np.where(np.abs(alpha) < 0.3, 0, alpha)
    w = wrapper.layer.kernel.numpy()
    np.testing.assert_allclose(wrapper.effective(True), w * nu[:, np.newaxis], rtol=1e-6)
    x = np.random.default_rng(SEED).normal(size=(4, 5)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(wrapper.parameter)
        loss = tf.reduce_sum(tf.square(pruning.network(x, training=True))) / 2
    w1, b1, w2, b2 = (weight.numpy() for weight in shake(dense((5, 6, 3), SEED), SEED).weights)
    h = np.maximum(x @ w1 + b1, 0)
    dq = h.T @ (h @ (w2 * nu[:, np.newaxis]) + b2)
    # Also parameters below the threshold get the sum over their structure.
    expected = np.array([sum(w2[row, column] * dq[row, column] for column in range(3)) for row in range(6)])
    gradient = tape.gradient(loss, wrapper.parameter)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4)


def test_psp_steps_are_gradient_descent_with_momentum_and_decay() -> None:
    method = PSP(decay=0.1, momentum=0.5, speed=4.0)
    pruning = begun(dense((5, 6, 3), SEED), method)
    (wrapper,) = pruning.wrappers
    alpha, velocity = np.ones(6), np.zeros(6)
    rng = np.random.default_rng(SEED)
    for _ in range(3):
        gradient = rng.normal(size=6).astype(np.float32)
        wrapper.step(tf.constant(gradient), tf.constant(0.02))
        velocity = 0.5 * velocity - 0.08 * (gradient + 0.1 * alpha)
        alpha = alpha + velocity
    np.testing.assert_allclose(wrapper.parameter, alpha, rtol=1e-5)
    np.testing.assert_allclose(wrapper.scores(), np.abs(alpha), rtol=1e-5)


@pytest.mark.parametrize("structure", ["channel", "kernel"])
def test_group_lasso_adds_the_norms(structure: str) -> None:
    pruning = begun(shake(convolutional(SEED), SEED), GroupLasso(structure=structure, strength=0.25))
    expected = 0.0
    for wrapper in pruning.wrappers:
        w = wrapper.layer.kernel.numpy().astype(float)
        if structure == "channel":
            norms = [np.sqrt((w[..., channel, :] ** 2).sum()) for channel in range(w.shape[-2])]
        else:
            norms = [np.sqrt((w[y, x] ** 2).sum()) for y in range(3) for x in range(3)]
        np.testing.assert_allclose(wrapper.scores(), norms, rtol=1e-5)
        expected += 0.25 * sum(norms)
    assert float(tf.add_n(pruning.network.losses)) == pytest.approx(expected, rel=1e-5)


def test_slimming_takes_the_subgradient_of_the_scales() -> None:
    pruning = begun(convolutional(SEED), NetworkSlimming(strength=2.0))
    network = pruning.network
    gamma = np.array([0.5, -0.5, 0.0, 1.0] * 2, np.float32)
    network.get_layer("stem_bn").gamma.assign(gamma)
    pruning.method.after_step(pruning, tf.constant(1), tf.constant(0.01))
    np.testing.assert_allclose(network.get_layer("stem_bn").gamma, gamma - 0.02 * np.sign(gamma), rtol=1e-6)
    model = pruning.method.finish(pruning)
    scores = pruning.method.filters(pruning, model)
    assert set(scores) == {"stem_bn", "first_bn", "second_bn"}
    np.testing.assert_allclose(scores["stem_bn"], np.abs(gamma - 0.02 * np.sign(gamma)), rtol=1e-6)


def test_slimming_needs_a_scale() -> None:
    with pytest.raises(UnsupportedError, match="no batch normalization with a scale"):
        begun(dense((5, 6, 3), SEED), NetworkSlimming())


@pytest.mark.parametrize("method", [PSP(), GroupLasso(), NetworkSlimming()], ids=lambda method: method.name)
def test_the_cut_meets_the_target_and_can_be_made_again(method: Any) -> None:
    model = shake(convolutional(SEED), SEED)
    network = begun(model, method).network
    small, decision = cut(network, 0.5, multiple_of=1)
    assert count(small).macs <= 0.5 * count(model).macs
    assert all(isinstance(channel, int) for channels in decision["keep"].values() for channel in channels)
    other = begun(convolutional(SEED + 1), method)
    again = cut_again(method.finish(other), decision)
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in small.weights]


def test_the_least_important_channels_go() -> None:
    model = shake(convolutional(SEED), SEED)
    pruning = begun(model, PSP())
    by_name = {wrapper.layer.name: wrapper for wrapper in pruning.wrappers}
    worth = np.random.default_rng(SEED).permutation(16) / 16 + 0.1
    by_name["second"].parameter.assign(worth)
    by_name["first"].parameter.assign(np.full(8, 10.0))
    by_name["logits"].parameter.assign(np.full(16, 10.0))
    _, decision = cut(pruning.network, 0.6, multiple_of=1)
    kept = set(decision["keep"]["first"])
    assert 0 < len(kept) < 16
    assert min(worth[channel] for channel in kept) > max(worth[c] for c in range(16) if c not in kept)


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="psp prunes channel or kernel or group; got 'filter'"):
        PSP(structure="filter")
    with pytest.raises(UsageError, match="positive speed"):
        PSP(speed=0.0)
    with pytest.raises(UsageError, match="strength is not negative"):
        GroupLasso(strength=-1.0)
    with pytest.raises(UnsupportedError, match="has no group that can be removed"):
        structures_of(convolutional(SEED), "all", "group", group=16)
