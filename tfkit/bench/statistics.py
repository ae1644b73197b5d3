"""Robust statistics of latency samples, and the refusal of those that the samples cannot carry."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np

from tfkit._errors import DataError

# Fewest samples for a quantile: with fewer, LoadGen's early stopping (``over_bound``) has no answer.
MINIMUM_SAMPLES = {0.5: 11, 0.9: 64, 0.95: 130, 0.99: 662}
CONFIDENCE = 0.99
RESAMPLES = 10_000


def median(samples: Sequence[float]) -> float:
    """The middle value; the mean of the middle two for an even count.

    Raises:
        DataError: no samples.
    """
    if not samples:
        raise DataError("the median of no samples does not exist; measure at least once")
    return float(statistics.median(samples))


def percentile(samples: Sequence[float], quantile: float) -> float:
    """Nearest-rank percentile: the sample of rank ``ceil(quantile * n)`` in ascending order, from 1.

    >>> percentile(range(1, 101), 0.9)
    90.0

    Raises:
        DataError: fewer samples than ``MINIMUM_SAMPLES[quantile]``, or a quantile that is not in it.
    """
    _check(len(samples), quantile)
    return float(sorted(samples)[math.ceil(quantile * len(samples)) - 1])


def percentile_bound(samples: Sequence[float], quantile: float) -> float:
    """The percentile that the samples prove with 99 % confidence: at most this, were they drawn independently.

    The sample of rank n - t + 1, where t is the largest number of samples over the bound that would still be seen in
    at most 1 of 100 measurements if the percentile lay above it (MLPerf LoadGen's early stopping, tolerance 0).

    >>> percentile_bound(range(1, 257), 0.9)
    243.0

    Raises:
        DataError: as ``percentile``.
    """
    _check(len(samples), quantile)
    return float(sorted(samples)[len(samples) - over_bound(len(samples), quantile)])


def over_bound(count: int, quantile: float) -> int:
    """Largest t with P(B <= t) <= 0.01 for B binomial(``count``, 1 - ``quantile``); -1 where there is none."""
    k = np.arange(1, math.floor(count * (1 - quantile)) + 1)
    steps = np.cumsum(np.log((count - k + 1) / k) + math.log(1 - quantile) - math.log(quantile))
    log_mass = count * math.log(quantile) + np.concatenate([[0.0], steps])
    return int(np.searchsorted(np.cumsum(np.exp(log_mass)), 1 - CONFIDENCE, side="right")) - 1


def between_process_cv(medians: Sequence[float]) -> float | None:
    """Coefficient of variation (sample standard deviation / mean) of per-process medians; None for fewer than two."""
    if len(medians) < 2:
        return None
    return statistics.stdev(medians) / statistics.fmean(medians)


def robust_cv(medians: Sequence[float]) -> float | None:
    """Interquartile range / 1.349 / median: for normal data the coefficient of variation, yet deaf to outliers.

    Up to a quarter of the processes may have been disturbed without moving it. None for fewer than two.

    >>> round(robust_cv([10.0, 10.1, 10.2, 10.3, 14.0]), 4)
    0.0145
    """
    if len(medians) < 2:
        return None
    low, high = np.quantile(np.asarray(medians, np.float64), (0.25, 0.75))
    return float(high - low) / 1.349 / median(medians)


def bootstrap_interval(medians: Sequence[float], seed: int = 0) -> tuple[float, float] | None:
    """95 % percentile bootstrap interval of the median of process medians, resampling processes.

    Samples of one process are no independent draws, so it is whole processes that are drawn again. With five of them
    the interval is close to their range; None for fewer than three, of which it would be the range itself.
    """
    if len(medians) < 3:
        return None
    draws = np.random.default_rng(seed).choice(np.asarray(medians, np.float64), (RESAMPLES, len(medians)))
    low, high = np.quantile(np.median(draws, axis=1), (0.025, 0.975))
    return float(low), float(high)


def drift(samples: Sequence[float]) -> float | None:
    """Median of the last quarter over that of the first, minus 1; None below 4 x 11 samples.

    >>> drift([1.0] * 22 + [1.5] * 22)
    0.5
    """
    quarter = len(samples) // 4
    if quarter < MINIMUM_SAMPLES[0.5]:
        return None
    first = median(samples[:quarter])
    return median(samples[-quarter:]) / first - 1 if first > 0 else None


def _check(count: int, quantile: float) -> None:
    if quantile not in MINIMUM_SAMPLES:
        raise DataError(f"quantile {quantile} is not offered; give one of {', '.join(map(str, MINIMUM_SAMPLES))}")
    needed = MINIMUM_SAMPLES[quantile]
    if count < needed:
        raise DataError(f"the {quantile:.0%} percentile needs at least {needed} samples; got {count}")
