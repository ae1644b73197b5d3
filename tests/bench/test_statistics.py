"""Statistics against values computed by hand."""

from __future__ import annotations

import pytest

from tfkit._errors import DataError
from tfkit.bench.result import Latency
from tfkit.bench.statistics import between_process_cv, median, percentile


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
    with pytest.raises(DataError, match=r"quantile 0.99 is not offered; give one of 0\.5, 0\.9"):
        percentile(range(1000), 0.99)


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
