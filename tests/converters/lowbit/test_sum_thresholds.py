"""Every sum gets the level that the float32 operations behind it would give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tfkit.converters.lowbit import sum_thresholds
from tfkit.converters.lowbit.sum_thresholds import ALWAYS, NEVER, Thresholds

STEPS = np.array([-0.25, 0.5, 1.0], np.float32)
CHANNELS = 40
Chain = Callable[[np.ndarray], np.ndarray]


def _chain(seed: int) -> Chain:
    """Scale, bias, a normalization and a clip, each of which rounds; all that a channel can be."""
    rng = np.random.default_rng(seed)
    scale, bias, gamma, beta = rng.normal(0, [[0.05], [0.4], [1], [0.5]], (4, CHANNELS)).astype(np.float32)
    gamma[:2] = 0
    gamma[2], beta[2] = 1e-30, 0.5  # exactly on a threshold for most sums
    scale[3:5], bias[3:5], gamma[3], gamma[4], beta[3:5] = 0.125, 0, 1, -1, 0  # sums that fall onto thresholds
    scale[5], gamma[5] = 1e3, 1e3
    if seed % 2:
        return lambda x: np.maximum(x * scale + bias, np.float32(0)) * gamma + beta
    return lambda x: np.minimum((x * scale + bias) * gamma + beta, np.float32(6))


def _levels(found: Thresholds, turned: np.ndarray) -> np.ndarray:
    return (turned[..., None, :] >= found.values).sum(-2)


@pytest.mark.parametrize("seed", range(6))
def test_all_integers(seed: int) -> None:
    chain, most = _chain(seed), 1500
    found = sum_thresholds.of_integers(chain, STEPS, most, CHANNELS)
    assert found is not None
    assert found.values.dtype == np.int32
    assert (found.values[1:] >= found.values[:-1]).all()
    sums = np.arange(-most, most + 1, dtype=np.int32)[:, None].repeat(CHANNELS, 1)
    wanted = (chain(sums.astype(np.float32))[..., None] >= STEPS).sum(-1)
    np.testing.assert_array_equal(_levels(found, np.where(found.falls, ~sums, sums)), wanted)
    assert 0 < found.falls.sum() < CHANNELS
    assert {ALWAYS, NEVER} < set(found.values.ravel().tolist())


def test_sums_that_floats_do_not_hold() -> None:
    """Beyond 2^24 neighbouring integers are one float: they share their level."""
    scale = np.array([2.0**-26], np.float32)
    found = sum_thresholds.of_integers(lambda x: x * scale, STEPS, 2**28, 1)
    assert found is not None
    near = found.values[:, 0][:, None] + np.arange(-70, 71, dtype=np.int32)
    wanted = ((near.astype(np.float32) * scale)[..., None] >= STEPS).sum(-1)
    np.testing.assert_array_equal(_levels(found, near[..., None])[..., 0], wanted)


@pytest.mark.parametrize("seed", range(6))
def test_floats(seed: int) -> None:
    chain = _chain(seed)
    most = np.linspace(1, 50, CHANNELS).astype(np.float32)
    found = sum_thresholds.of_floats(chain, STEPS, most)
    assert found is not None
    assert found.values.dtype == np.float32
    turned = np.where(found.falls, np.float32(-1), np.float32(1))
    # Around every threshold, where it is one, and everywhere else.
    there = np.clip(np.where(np.isfinite(found.values), found.values, 0), -most, most).astype(np.float32)
    sums = np.random.default_rng(seed).uniform(-most, most, (500, CHANNELS)).astype(np.float32)
    beside = [np.nextafter(there, np.float32(side)) for side in (-np.inf, np.inf)]
    sums = np.concatenate([sums, *(np.clip(values, -most, most) * turned for values in (there, *beside))])
    wanted = (chain(sums)[..., None] >= STEPS).sum(-1)
    np.testing.assert_array_equal(_levels(found, sums * turned), wanted)


def test_what_has_no_finite_value_has_no_thresholds() -> None:
    huge = np.full(CHANNELS, 1e38, np.float32)
    assert sum_thresholds.of_integers(lambda x: x * huge, STEPS, 100, CHANNELS) is None
    assert sum_thresholds.of_floats(lambda x: x * huge, STEPS, np.full(CHANNELS, 100, np.float32)) is None
