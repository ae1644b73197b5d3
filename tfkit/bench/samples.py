"""What one process measured, whether its runner gives each sample or, like other tools' runners, a summary only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfkit.bench import statistics


def count(process: Mapping[str, Any]) -> int:
    """How many timed runs there were."""
    measurement = process.get("measurement") or {}
    return len(measurement.get("run_ns") or []) or int(_summary(measurement).get("count") or 0)


def middle_ns(process: Mapping[str, Any]) -> float | None:
    """The median of the runs; the mean where the runner tells no more; None where nothing was measured."""
    measurement = process.get("measurement") or {}
    if measurement.get("run_ns"):
        return statistics.median(measurement["run_ns"])
    summary = _summary(measurement)
    value = summary.get("median_ns") or summary.get("mean_ns")
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _summary(measurement: Mapping[str, Any]) -> Mapping[str, Any]:
    summary = measurement.get("summary")
    return summary if isinstance(summary, dict) else {}
