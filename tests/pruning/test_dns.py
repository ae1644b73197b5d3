from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from helpers.pruning import begun, dense, shake
from tfkit._errors import UsageError
from tfkit.pruning.dns import DynamicNetworkSurgery

SEED = 5


def test_equation_14() -> None:
    pruning = begun(shake(dense((9, 8), SEED), SEED), DynamicNetworkSurgery())
    (wrapper,) = pruning.wrappers
    before = np.random.default_rng(SEED).integers(0, 2, (9, 8)).astype(np.float32)
    wrapper.mask.assign(before)
    a, b = 0.4, 0.9
    wrapper.update(tf.constant(a), tf.constant(b))
    w = np.abs(wrapper.layer.kernel.numpy())
    for place in np.ndindex(w.shape):
        expected = 0 if w[place] < a else before[place] if w[place] < b else 1
        assert wrapper.mask.numpy()[place] == expected
    assert np.any((w >= a) & (w < b)), f"seed {SEED} tests the band"


def test_pruned_weights_learn() -> None:
    pruning = begun(shake(dense((4, 3), SEED), SEED), DynamicNetworkSurgery())
    (wrapper,) = pruning.wrappers
    mask = (np.arange(12).reshape(4, 3) % 2).astype(np.float32)
    wrapper.mask.assign(mask)
    x = np.random.default_rng(SEED).normal(size=(6, 4)).astype(np.float32)
    w, b = wrapper.layer.kernel.numpy(), wrapper.layer.bias.numpy()
    with tf.GradientTape() as tape:
        y = pruning.network(x, training=True)
        loss = tf.reduce_sum(tf.square(y)) / 2
    np.testing.assert_allclose(y, x @ (w * mask) + b, rtol=1e-5, atol=1e-5)
    # dL/dq = xᵀ y, and that is the gradient of pruned weights too.
    np.testing.assert_allclose(tape.gradient(loss, wrapper.layer.kernel), x.T @ y.numpy(), rtol=1e-4, atol=1e-4)


def test_schedule_settles_at_the_sparsity_and_stops() -> None:
    pruning = begun(shake(dense((30, 20, 10), SEED), SEED), DynamicNetworkSurgery(0.8, slowing=0.0), epochs=3, steps=4)
    shares = []
    for step in range(1, 13):
        pruning.method.after_step(pruning, tf.constant(step), tf.constant(0.1))
        shares.append(1 - np.mean(np.concatenate([w.mask.numpy().ravel() for w in pruning.wrappers])))
    # While the band is open a mask begins as one and is cleared below (1 - margin) of the threshold only.
    wanted = [0.8 * (1 - (1 - step / 8) ** 3) for step in range(1, 8)]
    assert all(got <= want + 0.01 for got, want in zip(shares, wanted, strict=False))
    assert shares[7:] == [pytest.approx(0.8, abs=2e-3)] * 5
    assert shares == sorted(shares)


def test_a_weight_that_grows_comes_back() -> None:
    pruning = begun(shake(dense((8, 8), SEED), SEED), DynamicNetworkSurgery(0.5, slowing=0.0), epochs=30, steps=10)
    (wrapper,) = pruning.wrappers
    for step in range(1, 40):
        pruning.method.after_step(pruning, tf.constant(step), tf.constant(0.1))
    pruned = np.argwhere(wrapper.mask.numpy() == 0)[0]
    w = wrapper.layer.kernel.numpy()
    w[tuple(pruned)] = 10.0
    wrapper.layer.kernel.assign(w)
    pruning.method.after_step(pruning, tf.constant(41), tf.constant(0.1))
    assert wrapper.mask.numpy()[tuple(pruned)] == 1


def test_updates_become_rare_and_depend_on_the_step_alone() -> None:
    method = DynamicNetworkSurgery(0.8, slowing=1.0)
    changed = []
    for _ in range(2):
        pruning = begun(shake(dense((30, 20), SEED), SEED), method, epochs=30, steps=10)
        masks = []
        for step in range(1, 100):
            pruning.method.after_step(pruning, tf.constant(step), tf.constant(0.1))
            masks.append(pruning.wrappers[0].mask.numpy())
        changed.append([int(np.any(a != b)) for a, b in pairwise(masks)])
    assert changed[0] == changed[1]
    assert 0 < sum(changed[0]) < 15


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="margin lies in"):
        DynamicNetworkSurgery(margin=1.0)
