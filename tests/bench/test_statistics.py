"""Statistics against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tfkit._errors import DataError
from tfkit.bench.result import Latency
from tfkit.bench.statistics import (
    MINIMUM_SAMPLES,
    between_process_cv,
    bootstrap_interval,
    drift,
    median,
    over_bound,
    percentile,
    percentile_bound,
)


def test_median() -> None:
    assert median([3, 1, 2]) == 2
    assert median([4, 1, 3, 2]) == 2.5
    assert median([7]) == 7
    with pytest.raises(DataError, match="median of no samples"):
        median([])


def test_nearest_rank_percentile() -> None:
    # Rank ceil(0.9 * 64) = ceil(57.6) = 58; samples 0 to 63 in any order: the 58th is 57.
    assert percentile(list(range(63, -1, -1)), 0.9) == 57
    # Rank ceil(0.9 * 100) = 90.
    assert percentile(range(1, 101), 0.9) == 90
    # Rank ceil(0.5 * 11) = 6.
    assert percentile(range(1, 12), 0.5) == 6


def test_percentiles_that_the_samples_cannot_carry() -> None:
    with pytest.raises(DataError, match="90% percentile needs at least 64 samples; got 63"):
        percentile(range(63), 0.9)
    with pytest.raises(DataError, match="95% percentile needs at least 130 samples; got 129"):
        percentile_bound(range(129), 0.95)
    with pytest.raises(DataError, match=r"quantile 0.75 is not offered; give one of 0\.5, 0\.9, 0\.95, 0\.99"):
        percentile(range(1000), 0.75)


@pytest.mark.parametrize(("quantile", "needed"), MINIMUM_SAMPLES.items())
def test_the_counts_are_those_at_which_early_stopping_has_an_answer(quantile: float, needed: int) -> None:
    assert over_bound(needed, quantile) == 1
    assert over_bound(needed - 1, quantile) < 1


@pytest.mark.parametrize(("n", "rank"), [(64, 64), (128, 124), (256, 243), (512, 478), (1024, 945)])
def test_bounds_are_loadgens(n: int, rank: int) -> None:
    assert percentile_bound(range(1, n + 1), 0.9) == rank
    # From the definition: this many samples above the bound are still rare if the percentile lies there, one more not.
    t = n - rank + 1
    assert stats.binom.cdf(t, n, 0.1) <= 0.01 < stats.binom.cdf(t + 1, n, 0.1)


def test_a_million_samples_have_a_bound() -> None:
    rank = 1_000_000 - over_bound(1_000_000, 0.9) + 1
    assert 900_000 < rank < 901_000


def test_bootstrap_interval() -> None:
    medians = [10.0, 11.0, 12.0, 13.0, 20.0]
    low, high = bootstrap_interval(medians) or (0, 0)
    assert (low, high) == bootstrap_interval(medians)  # the same draws each time
    # P(median of a resample is the smallest) = P(at least 3 of 5 draws hit it) = 0.0579 > 0.025.
    assert (low, high) == (10.0, 20.0)
    many = np.random.default_rng(1).normal(100, 1, 200).tolist()
    low, high = bootstrap_interval(many) or (0, 0)
    assert 99.5 < low < np.median(many) < high < 100.5
    assert bootstrap_interval([1.0, 2.0]) is None


def test_drift() -> None:
    assert drift([100] * 22 + [103] * 22) == pytest.approx(0.03)
    assert drift([100] * 11 + [999] * 22 + [90] * 11) == pytest.approx(-0.1)  # the middle does not count
    assert drift([1] * 43) is None
    assert drift([0] * 44) is None


def test_variation_between_processes() -> None:
    # Mean 2, sample standard deviation 1.
    assert between_process_cv([1, 2, 3]) == pytest.approx(0.5)
    assert between_process_cv([5.0]) is None


def test_latency_of_several_processes() -> None:
    fast, slow = [1_000] * 40, [3_000] * 40
    latency = Latency.of([fast, slow])
    assert latency.samples == 80
    assert latency.median_s == pytest.approx(2e-6)  # median of 1000 and 3000
    assert latency.p90_s == pytest.approx(3e-6)  # rank 72 of 80
    assert latency.between_process_cv == pytest.approx(1_000 * 2**0.5 / 2_000)


def test_latency_of_few_samples_has_no_p90() -> None:
    latency = Latency.of([[10, 20, 30]])
    assert (latency.samples, latency.p90_s, latency.between_process_cv) == (3, None, None)
    assert latency.median_s == pytest.approx(20e-9)
