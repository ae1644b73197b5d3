"""Kernels are recognised whatever a converter did to them; others are not."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.conversion import rng
from tfkit.converters.resemblance import Rows, at_least, similarity


def test_do_see_through_scale_flip_and_int8() -> None:
    kernel = rng().standard_normal((16, 27)).astype(np.float32)
    factors = rng(1).uniform(0.1, 4, (16, 1)) * rng(2).choice([-1, 1], (16, 1))
    assert similarity(kernel, kernel * factors) > 0.9999
    steps = np.abs(kernel).max(axis=1, keepdims=True) / 127
    assert similarity(kernel, np.round(kernel / steps) * steps) > 0.999


def test_do_not_take_another_kernel() -> None:
    """Unrelated kernels of n inputs have |cos| near 1/sqrt(n)."""
    first, second = rng(3).standard_normal((2, 16, 27))
    assert similarity(first, second) < 0.4
    assert similarity(first, first[:, ::-1]) < 0.5
    assert similarity(first, first[:8]) == 0.0


def test_do_not_match_a_kernel_with_a_dead_one() -> None:
    kernel = rng().standard_normal((4, 9))
    assert similarity(kernel, np.zeros_like(kernel)) == 0.0


def by_definition(first: np.ndarray, second: np.ndarray) -> float:
    """The mean over the first one's live channels, a channel at a time."""
    cosines = []
    for a, b in zip(first, second, strict=True):
        if a.any():
            cosines.append(abs(float(a @ b)) / float(np.linalg.norm(a) * np.linalg.norm(b)) if b.any() else 0.0)
    return float(np.mean(cosines))


@pytest.mark.parametrize("least", [0.0, 0.5, 0.98, 1.0])
def test_a_few_channels_decide_as_all_would(least: float) -> None:
    """Kernels that are alike in some of their channels, the first ones or the last, with dead ones among them."""
    for seed in range(60):
        chance = rng(seed)
        channels, inputs = chance.integers(1, 80), chance.integers(1, 20)
        first, second = chance.standard_normal((2, channels, inputs))
        alike = chance.permutation(channels) if seed % 2 else np.arange(channels)
        alike = alike[: int(channels * (1.0 if seed % 3 == 0 else chance.uniform(0.9, 1)))]
        second[alike] = -3 * first[alike]
        first[chance.random(channels) < 0.1] = 0
        second[chance.random(channels) < 0.05] = 0
        if not (first.any() and second.any()):
            continue
        wanted = by_definition(first, second)
        found = at_least(least, Rows(first), Rows(second))
        if abs(wanted - least) > 1e-9:
            assert (found is None) is (wanted < least), seed
        if found is not None:
            assert found == pytest.approx(wanted), seed
