"""The Mann-Whitney test against scipy's, and against enumeration where scipy has no exact answer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from tfkit._errors import DataError
from tfkit.bench.significance import EXACT_UP_TO, mann_whitney, smallest_p

SEED = 20260


def enumerated(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p by trying every division of the numbers into two groups."""
    ranks = stats.rankdata([*first, *second])
    seen = ranks[: len(first)].sum()
    sums = [sum(group) for group in itertools.combinations(ranks, len(first))]
    tails = sum(s <= seen for s in sums), sum(s >= seen for s in sums)
    return min(1.0, 2 * min(tails) / len(sums))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 3), (5, 5), (5, 10), (10, 10), (30, 30)])
def test_exact_without_ties_is_scipys(n: int, m: int) -> None:
    random = np.random.default_rng(SEED)
    for shift in (0.0, 0.5, 2.0):
        first, second = random.normal(size=n).tolist(), random.normal(shift, size=m).tolist()
        expected = stats.mannwhitneyu(first, second, method="exact").pvalue
        assert mann_whitney(first, second) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(2, 3), (4, 4), (5, 5)])
def test_exact_with_ties_is_the_enumeration(n: int, m: int) -> None:
    random = np.random.default_rng(SEED)
    for _ in range(20):
        first, second = random.integers(0, 4, n).tolist(), random.integers(0, 4, m).tolist()
        assert mann_whitney(first, second) == pytest.approx(enumerated(first, second), rel=1e-9)


def test_many_numbers_are_scipys_normal_approximation() -> None:
    random = np.random.default_rng(SEED)
    for high in (5, 1000):
        first, second = random.integers(0, high, 40).tolist(), random.integers(1, high + 1, 50).tolist()
        assert len(first) + len(second) > EXACT_UP_TO
        expected = stats.mannwhitneyu(first, second, method="asymptotic").pvalue
        assert mann_whitney(first, second) == pytest.approx(expected, rel=1e-9)


def test_equal_numbers_never_differ() -> None:
    assert mann_whitney([1.0] * 5, [1.0] * 5) == 1.0
    assert mann_whitney([1.0] * 50, [1.0] * 50) == 1.0


def test_the_smallest_p() -> None:
    for n, m in ((1, 1), (2, 5), (4, 4), (5, 5)):
        assert smallest_p(n, m) == pytest.approx(mann_whitney(range(n), range(100, 100 + m)))
    assert smallest_p(3, 3) > 0.05 > smallest_p(4, 4)
    assert math.isclose(smallest_p(5, 5), 2 / 252)


def test_an_empty_group() -> None:
    with pytest.raises(DataError, match="groups of 0 and 5 numbers cannot be compared"):
        mann_whitney([], [1, 2, 3, 4, 5])
