"""Divergences, noise and scores of the variational methods, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers.pruning import begun, convolutional, dense, shake
from tfkit._errors import UsageError
from tfkit.pruning import finish
from tfkit.pruning.group_vd import GroupVD
from tfkit.pruning.snr import SNR
from tfkit.pruning.sparse_vd import SparseVD

SEED = 37


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def log_uniform(log_alpha: np.ndarray) -> float:
    """-KL of Gaussian dropout from a log-uniform prior, as the paper approximates it."""
    terms = 0.63576 * sigmoid(1.87320 + 1.48695 * log_alpha) - 0.5 * np.log1p(np.exp(-log_alpha)) - 0.63576
    return float(-terms.sum())


def test_the_approximation_is_that_of_the_integral() -> None:
    """-KL(N(θ, αθ²) || log-uniform) = 1/2 log α - E log|1 + √α ε| up to a constant: differences by sampling."""
    noise = np.random.default_rng(SEED).normal(size=2_000_000)

    def by_sampling(alpha: float) -> float:
        return float(-(0.5 * np.log(alpha) - np.mean(np.log(np.abs(1 + np.sqrt(alpha) * noise)))))

    for first, second in ((0.1, 1.0), (1.0, 20.0)):
        approximate = log_uniform(np.array([np.log(second)])) - log_uniform(np.array([np.log(first)]))
        assert approximate == pytest.approx(by_sampling(second) - by_sampling(first), abs=0.03), f"seed {SEED}"


def test_bayes_by_backprop() -> None:
    method = SNR(0.5, prior=0.2, deviation=0.05)
    pruning = begun(shake(dense((5, 4, 3), SEED), SEED), method)
    wrapper = pruning.wrappers[0]
    mean = wrapper.layer.kernel.numpy().astype(float)
    noise = np.asarray(wrapper.normal(mean.shape))
    np.testing.assert_allclose(wrapper.effective(True), mean + 0.05 * noise, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(wrapper.effective(False), mean, rtol=1e-6)
    kl = np.log(0.2 / 0.05) + (0.05**2 + mean**2) / (2 * 0.2**2) - 0.5
    assert float(wrapper.divergence()) == pytest.approx(kl.sum(), rel=1e-4)
    np.testing.assert_allclose(wrapper.scores(), np.abs(mean) / 0.05, rtol=1e-4)


def test_weights_below_the_threshold_of_all_layers_go() -> None:
    pruning = begun(shake(dense((5, 4, 3), SEED), SEED), SNR(0.5, deviation=0.05))
    deviations = []
    for wrapper in pruning.wrappers:
        rho = np.random.default_rng(SEED).uniform(-4, -1, wrapper.layer.kernel.shape)
        wrapper.slow_rho.assign(rho / pruning.method.speed)
        deviations.append(np.log1p(np.exp(rho)))
    ratios = [np.abs(w.layer.kernel.numpy()) / d for w, d in zip(pruning.wrappers, deviations, strict=True)]
    threshold = np.sort(np.concatenate([ratio.ravel() for ratio in ratios]))[16]  # of 32 weights
    pruned = finish(pruning.network)
    for wrapper, ratio in zip(pruning.wrappers, ratios, strict=True):
        kernel = wrapper.layer.kernel.numpy()
        got = pruned.get_layer(wrapper.layer.name).kernel.numpy()
        np.testing.assert_array_equal(got, np.where(ratio >= threshold, kernel, 0))


def test_sparse_variational_dropout() -> None:
    pruning = begun(shake(convolutional(SEED), SEED), SparseVD(0.5))
    wrapper = pruning.wrappers[1]
    theta = wrapper.layer.kernel.numpy().astype(float)
    log_variance = np.random.default_rng(SEED).uniform(-6, 2, theta.shape)
    wrapper.slow_log_variance.assign(log_variance / pruning.method.speed)
    log_alpha = np.clip(log_variance - np.log(theta**2 + 1e-8), -8, 8)
    assert float(wrapper.divergence()) == pytest.approx(log_uniform(log_alpha), rel=1e-4)
    x = np.random.default_rng(SEED).normal(size=(2, 8, 8, 8)).astype(np.float32)
    mean = tf.nn.conv2d(x, theta.astype(np.float32), 2, "SAME").numpy()
    variance = tf.nn.conv2d(x**2, np.exp(log_variance).astype(np.float32), 2, "SAME").numpy()
    noise = np.asarray(wrapper.normal(mean.shape))
    np.testing.assert_allclose(wrapper(x, training=True), mean + np.sqrt(variance + 1e-8) * noise, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(wrapper(x, training=False), mean, rtol=1e-4, atol=1e-4)
    order = np.argsort(wrapper.scores().ravel())
    assert np.all(np.diff((np.log(theta**2 + 1e-30) - log_variance).ravel()[order]) >= -1e-5)


def test_group_variational_dropout() -> None:
    pruning = begun(shake(dense((5, 6, 3), SEED), SEED), GroupVD())
    (wrapper,) = pruning.wrappers
    rng = np.random.default_rng(SEED)
    scale, scale_variance = rng.uniform(0.2, 1.5, 6), rng.uniform(-5, 1, 6)
    variance = rng.uniform(-5, 0, (6, 3))
    wrapper.scale.assign(scale)
    wrapper.slow_scale_log_variance.assign(scale_variance / pruning.method.speed)
    wrapper.slow_log_variance.assign(variance / pruning.method.speed)
    mean = wrapper.layer.kernel.numpy().astype(float)
    log_alpha = scale_variance - np.log(scale**2 + 1e-8)
    gaussian = 0.5 * np.sum(np.exp(variance) + mean**2 - 1 - variance)
    assert float(wrapper.divergence()) == pytest.approx(log_uniform(log_alpha) + gaussian, rel=1e-4)
    np.testing.assert_allclose(wrapper.scores(), -log_alpha, rtol=1e-4)
    np.testing.assert_allclose(wrapper.final(), mean * scale[:, np.newaxis], rtol=1e-4)
    x = rng.normal(size=(4, 6)).astype(np.float32)
    z = scale + np.exp(scale_variance / 2) * np.asarray(wrapper.normal((4, 6)))
    noise = np.asarray(wrapper.normal((4, 3), 1))
    expected = (x * z) @ mean + np.sqrt((x * z) ** 2 @ np.exp(variance) + 1e-8) * noise
    np.testing.assert_allclose(wrapper(x, training=True), expected + wrapper.layer.bias.numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", [SNR(), SparseVD(), GroupVD()], ids=lambda method: method.name)
def test_the_divergence_warms_up_and_is_shared_by_all_samples(method: Any) -> None:
    pruning = begun(dense((5, 6, 3), SEED), method, epochs=4)
    for epoch, warm in enumerate((0.5, 1.0, 1.0, 1.0)):
        pruning.method.before_epoch(pruning, epoch)
        wrapper = pruning.wrappers[0]
        assert float(wrapper.share) == pytest.approx(warm / (32 * 4))
        assert float(wrapper.penalty()) == pytest.approx(float(wrapper.divergence()) * warm / 128, rel=1e-5)


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="deviations are positive"):
        SNR(prior=0)
    with pytest.raises(UsageError, match="log_variance lies in"):
        SparseVD(log_variance=1.0)
    with pytest.raises(UsageError, match="group_vd takes a weight"):
        GroupVD(weight=-1)
    with pytest.raises(UsageError, match="snr takes a weight"):
        SNR(weight=-1)
