"""Learned factors and gates, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers.pruning import begun, dense, shake
from tfkit._errors import UsageError
from tfkit.pruning.l0 import L0
from tfkit.pruning.l0_arm import L0ARM
from tfkit.pruning.scaling_factors import ScalingFactors

SEED = 31


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def test_proximal_steps_of_scaling_factors() -> None:
    pruning = begun(dense((5, 6, 3), SEED), ScalingFactors(strength=0.5, momentum=0.8, speed=2.0))
    (wrapper,) = pruning.wrappers
    factors, velocity = np.ones(6), np.zeros(6)
    rng = np.random.default_rng(SEED)
    for number in range(6):
        gradient = rng.normal(size=6) + 2 * (np.arange(6) < 3)
        wrapper.step(tf.constant(gradient, tf.float32), tf.constant(0.1))
        z = factors - 0.2 * gradient
        s = np.sign(z) * np.maximum(np.abs(z) - 0.2 * 0.5, 0)
        velocity = s - factors + 0.8 * velocity
        factors = s + 0.8 * velocity
        np.testing.assert_allclose(wrapper.parameter, factors, rtol=1e-4, atol=1e-5, err_msg=f"step {number}")
    w = wrapper.layer.kernel.numpy()
    np.testing.assert_allclose(wrapper.final(), w * factors[:, np.newaxis], rtol=1e-4, atol=1e-5)


def test_soft_thresholding_gives_exact_zeros() -> None:
    pruning = begun(dense((5, 6, 3), SEED), ScalingFactors(strength=100.0, momentum=0.0, speed=1.0))
    (wrapper,) = pruning.wrappers
    wrapper.step(tf.zeros(6), tf.constant(0.1))
    np.testing.assert_array_equal(wrapper.parameter, np.zeros(6))


def test_hard_concrete_gates() -> None:
    method = L0(strength=0.7, dropped=0.3)
    pruning = begun(shake(dense((5, 6, 3), SEED), SEED), method)
    (wrapper,) = pruning.wrappers
    np.testing.assert_allclose(wrapper.log_alpha, np.full(6, np.log(0.7 / 0.3)), rtol=1e-5)
    log_alpha = np.linspace(-4, 4, 6)
    wrapper.slow_log_alpha.assign(log_alpha / method.speed)
    w = wrapper.layer.kernel.numpy()
    expected = np.clip(sigmoid(log_alpha) * 1.2 - 0.1, 0, 1)
    np.testing.assert_allclose(wrapper.effective(False), w * expected[:, np.newaxis], rtol=1e-5, atol=1e-6)
    u = np.asarray(wrapper.uniform((6,)), float)
    s = sigmoid((np.log(u) - np.log(1 - u) + log_alpha) / (2 / 3))
    z = np.clip(s * 1.2 - 0.1, 0, 1)
    np.testing.assert_allclose(wrapper.effective(True), w * z[:, np.newaxis], rtol=1e-4, atol=1e-5)
    open_ = sigmoid(log_alpha - 2 / 3 * np.log(0.1 / 1.1))
    np.testing.assert_allclose(wrapper.penalty(), 0.7 * open_.mean(), rtol=1e-5)


def test_the_penalty_is_the_probability_of_an_open_gate() -> None:
    pruning = begun(dense((5, 6, 3), SEED), L0())
    (wrapper,) = pruning.wrappers
    log_alpha = np.linspace(-2.5, 0.5, 6)
    u = np.random.default_rng(SEED).uniform(size=(200_000, 1))
    s = sigmoid((np.log(u) - np.log(1 - u) + log_alpha) / (2 / 3))
    share = np.mean(s * 1.2 - 0.1 > 0, axis=0)
    wrapper.slow_log_alpha.assign(log_alpha / pruning.method.speed)
    assert float(wrapper.penalty()) == pytest.approx(0.1 * share.mean(), rel=0.01), f"seed {SEED}"


@pytest.mark.parametrize("method", [L0(), L0ARM()], ids=lambda method: method.name)
def test_draws_depend_on_the_step_alone(method: Any) -> None:
    drawn = []
    for _ in range(2):
        pruning = begun(dense((5, 40, 3), SEED), method)
        (wrapper,) = pruning.wrappers
        first = np.asarray(wrapper.uniform((8,)))
        np.testing.assert_array_equal(first, wrapper.uniform((8,)))
        pruning.method.after_step(pruning, tf.constant(1), tf.constant(0.1))
        drawn.append((first, np.asarray(wrapper.uniform((8,)))))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.any(drawn[0][0] != drawn[0][1])


def test_arm_gradient_is_unbiased() -> None:
    """For L = (z - 0.3)² the gradient by φ of E[L] is σ'(φ) · (L(1) - L(0))."""
    phi = 0.4
    u = np.random.default_rng(SEED).uniform(size=400_000)

    def loss(z: np.ndarray) -> np.ndarray:
        return (z - 0.3) ** 2

    estimate = (loss((u > sigmoid(-phi)) * 1.0) - loss((u < sigmoid(phi)) * 1.0)) * (u - 0.5)
    p = sigmoid(phi)
    assert estimate.mean() == pytest.approx(p * (1 - p) * (0.49 - 0.09), rel=0.02), f"seed {SEED}"


def test_an_arm_step_runs_twice_with_mirrored_gates() -> None:
    """One training step against the same step by hand."""
    method = L0ARM(strength=0.2, speed=50.0)
    model = shake(dense((4, 6, 3), SEED), SEED)
    pruning = begun(model, method)
    network, (wrapper,) = pruning.network, pruning.wrappers
    phi = np.linspace(-1, 2, 6).astype(np.float32)
    wrapper.parameter.assign(phi)
    x = np.random.default_rng(SEED).normal(size=(7, 4)).astype(np.float32)
    y = np.random.default_rng(SEED + 1).normal(size=(7, 3)).astype(np.float32)
    u = np.asarray(wrapper.uniform((6,)))
    w1, b1, w2, b2 = (weight.numpy().astype(float) for weight in model.weights)

    def loss(z: np.ndarray) -> float:
        return float(np.mean((np.maximum(x @ w1 + b1, 0) @ (w2 * z[:, np.newaxis]) + b2 - y) ** 2))

    difference = loss((u > sigmoid(-phi)) * 1.0) - loss((u < sigmoid(phi)) * 1.0)
    p = sigmoid(phi)
    expected = phi - 0.01 * 50 * (difference * (u - 0.5) + 0.2 * p * (1 - p) / 6)
    network.compile("sgd", "mse")
    network.train_on_batch(x, y)
    np.testing.assert_allclose(wrapper.parameter, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(wrapper.final(), wrapper.layer.kernel.numpy() * (expected > 0)[:, np.newaxis], rtol=1e-6)


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="closed gates inside"):
        L0(dropped=0.0)
    with pytest.raises(UsageError, match="positive speed"):
        L0ARM(speed=0)
    with pytest.raises(UsageError, match="scaling_factors takes a strength"):
        ScalingFactors(strength=-1)
