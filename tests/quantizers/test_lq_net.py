from __future__ import annotations

import itertools

import numpy as np
import pytest

from helpers.quantizers import built, data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 38


def nearest(x: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The nearest of ``levels`` by trying all."""
    return levels[np.abs(x[..., None] - levels).argmin(-1)]


def all_sums(basis: np.ndarray, factors: tuple[int, int]) -> np.ndarray:
    return np.array([np.dot(code, basis) for code in itertools.product(factors, repeat=len(basis))], np.float32)


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_weights_are_the_nearest_sums_of_their_channels_basis(bits: int) -> None:
    w, upstream = data((3, 3, 4, 5), SEED)
    quantizer = built(quantizers.LQWeights(bits), w)
    basis = np.random.default_rng(SEED).uniform(0.1, 1, (5, bits)).astype(np.float32)
    quantizer.basis.assign(basis)
    found = quantizer(w).numpy()
    for channel in range(5):
        part = w[..., channel]
        wanted = nearest(part, all_sums(basis[channel], (-1, 1)))
        tie = np.abs(np.abs(found[..., channel] - part) - np.abs(wanted - part)) < 1e-6
        assert (tie | np.isclose(found[..., channel], wanted, atol=1e-6)).all(), f"seed {SEED}"
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_array_equal(dw, upstream)


def test_activations_contain_zero_and_clip_their_gradient() -> None:
    x, upstream = data((4, 6, 3), SEED)
    quantizer = built(quantizers.LQActivations(2), x)
    quantizer.basis.assign([[0.4, 0.7]])
    levels = np.array([0.0, 0.4, 0.7, 1.1], np.float32)
    np.testing.assert_allclose(quantizer(x), nearest(x, levels), atol=1e-6)
    (dx,) = gradients(quantizer, x, upstream)
    np.testing.assert_array_equal(dx, upstream * ((x > -1e-20) & (x <= 1.1)), err_msg=f"seed {SEED}")


@pytest.mark.parametrize(("name", "shape"), [("lq_w2", (3, 3, 8, 6)), ("lq_w3", (64, 5)), ("lq_a3", (400,))])
def test_qem_lowers_the_error_in_every_round(name: str, shape: tuple[int, ...]) -> None:
    """Rounding of the sums may raise it by 1e-6 of itself."""
    values = np.random.default_rng(SEED).normal(size=shape).astype(np.float32)
    values = np.abs(values) if "_a" in name else values
    errors = quantizers.get(name).minimize(values, rounds=12)
    assert all(after <= before * (1 + 1e-5) for before, after in itertools.pairwise(errors)), f"{errors}, seed {SEED}"
    assert errors[-1] < 0.95 * errors[0]


def test_update_is_the_moving_average_of_least_squares() -> None:
    w = np.random.default_rng(SEED).normal(size=(40, 3)).astype(np.float32)
    quantizer = built(quantizers.LQWeights(2), w)
    quantizer.start(w)
    quantizer.started.assign(1.0)
    before = quantizer.basis.numpy()
    quantizer(w, training=True)
    for channel, v in enumerate(before):
        codes = np.array(list(itertools.product((-1, 1), repeat=2)))
        chosen = codes[np.abs(w[:, channel, None] - codes @ v).argmin(1)]
        best = np.linalg.lstsq(chosen, w[:, channel], rcond=None)[0]
        np.testing.assert_allclose(quantizer.basis[channel], 0.9 * v + 0.1 * best, rtol=1e-3, err_msg=f"seed {SEED}")
    quantizer(w, training=False)
    after = quantizer.basis.numpy()
    quantizer(w)
    np.testing.assert_array_equal(quantizer.basis, after)


def test_levels_are_sums_of_the_basis() -> None:
    w = np.random.default_rng(SEED).normal(size=(40, 3)).astype(np.float32)
    quantizer = built(quantizers.LQWeights(2), w)
    quantizer.start(w)
    for channel, values in enumerate(quantizer.levels().values):
        assert set(np.unique(quantizer(w).numpy()[:, channel]).round(5)) <= set(values.round(5))


def test_without_channels_it_is_refused() -> None:
    with pytest.raises(UsageError, match=r"basis per channel, got axis=None; give the axis of the output channels"):
        quantizers.LQWeights(2, axis=None)
    with pytest.raises(UsageError, match=r"shape \(7,\) has no channels on axis -1; use 'lsq_w2'"):
        built(quantizers.LQWeights(2), np.zeros(7))
    with pytest.raises(UsageError, match="LQ-Net takes 1 to 4 bits, got 0"):
        quantizers.LQActivations(0)
