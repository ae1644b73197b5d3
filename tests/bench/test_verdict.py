"""A disturbed measurement says so."""

from __future__ import annotations

import pytest

from tfkit.bench.result import Latency
from tfkit.bench.verdict import NOISY, _noise


@pytest.mark.parametrize(("p90_s", "noisy"), [(None, False), (NOISY, False), (NOISY + 0.01, True), (3.0, True)])
def test_a_wide_spread_is_a_warning(p90_s: float | None, noisy: bool) -> None:
    warnings = _noise(Latency(samples=64, median_s=1.0, p90_s=p90_s, between_process_cv=None))
    assert bool(warnings) == noisy
    assert all("something else was running" in warning for warning in warnings)
