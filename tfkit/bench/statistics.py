"""Robust statistics of latency samples, and the refusal of those that the samples cannot carry."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from tfkit._errors import DataError

# Fewest samples for a quantile: with n samples the 99 %-confidence upper bound on the quantile is itself a sample
# (MLPerf LoadGen's early stopping, confidence 0.99, tolerance 0): 11 for the median, 64 for the 90th percentile.
MINIMUM_SAMPLES = {0.5: 11, 0.9: 64}


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
    if quantile not in MINIMUM_SAMPLES:
        raise DataError(f"quantile {quantile} is not offered; give one of {', '.join(map(str, MINIMUM_SAMPLES))}")
    needed = MINIMUM_SAMPLES[quantile]
    if len(samples) < needed:
        raise DataError(f"the {quantile:.0%} percentile needs at least {needed} samples; got {len(samples)}")
    return float(sorted(samples)[math.ceil(quantile * len(samples)) - 1])


def between_process_cv(medians: Sequence[float]) -> float | None:
    """Coefficient of variation (sample standard deviation / mean) of per-process medians; None for fewer than two."""
    if len(medians) < 2:
        return None
    return statistics.stdev(medians) / statistics.fmean(medians)
