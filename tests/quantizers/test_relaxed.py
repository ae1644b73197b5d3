from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import built, data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 40


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_probabilities_are_the_mass_of_the_noise() -> None:
    x = np.random.default_rng(SEED).uniform(-1, 1, (5, 4)).astype(np.float32)
    quantizer = built(quantizers.RelaxedWeights(2), x)
    quantizer.step.assign(0.5)
    quantizer.noise.assign(0.2)
    grid = 0.5 * np.arange(-2, 2)
    cdf = logistic((np.append(grid - 0.25, 0.75) - x[..., None]) / 0.2)
    wanted = np.diff(cdf) / (cdf[..., -1:] - cdf[..., :1])
    np.testing.assert_allclose(quantizer.probabilities(x), wanted, rtol=1e-3, atol=1e-5, err_msg=f"seed {SEED}")


def test_probabilities_are_some_far_from_the_grid_too() -> None:
    """There the logistic function is 1 but for its last bit, which neither rises nor falls with its argument."""
    x = np.linspace(-60, 60, 400_001, dtype=np.float32)
    quantizer = built(quantizers.RelaxedActivations(2), x)
    quantizer.noise.assign(0.5)
    found = quantizer.probabilities(x).numpy()
    assert found.min() > 0
    np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-5)


def test_draws_follow_the_probabilities() -> None:
    """Gumbel-max draws from the distribution itself: the share of 20000 draws lies within 5 deviations, 0.018."""
    x = np.full((20000,), 0.13, np.float32)
    quantizer = built(quantizers.RelaxedActivations(2), x)
    quantizer.started.assign(1.0)
    quantizer.step.assign(0.5)
    quantizer.noise.assign(0.2)
    drawn = quantizer(x, training=True).numpy()
    chances = quantizer.probabilities(x[:1])[0].numpy()
    for level, chance in zip(quantizer.levels().values, chances, strict=True):
        assert abs((drawn == level).mean() - chance) < 0.018


def test_inference_rounds() -> None:
    x, upstream = data((6, 8), SEED)
    quantizer = built(quantizers.RelaxedWeights(3), x)
    quantizer.step.assign(0.4)
    np.testing.assert_allclose(quantizer(x), np.float32(0.4) * np.clip(np.round(x / np.float32(0.4)), -4, 3))
    dx, *_ = gradients(quantizer, x, upstream)
    np.testing.assert_array_equal(dx, upstream * ((x >= -1.6) & (x <= 1.2)), err_msg=f"seed {SEED}")


@pytest.mark.parametrize("hard", [False, True])
def test_all_its_parts_are_trained(hard: bool) -> None:
    x, upstream = data((30, 8), SEED)
    x = x * 40  # far beyond the grid too, where the masses vanish
    quantizer = built(quantizers.RelaxedWeights(2, hard=hard), x)
    quantizer.started.assign(1.0)
    for gradient in gradients(quantizer, x, upstream, training=True):
        assert np.isfinite(gradient).all()
        assert np.any(gradient != 0)


def test_stochastic_inference_is_refused() -> None:
    with pytest.raises(UsageError, match="takes inference 'nearest', got 'stochastic'; values are drawn in training"):
        quantizers.RelaxedWeights(2, inference="stochastic")
