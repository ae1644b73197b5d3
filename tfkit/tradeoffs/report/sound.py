"""Figures that are none - not finite, or beyond what a chart has room for - are unknown, wherever they came from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tfkit.tradeoffs.points import Point

LARGEST = 1e30
_FIGURES = (
    "accuracy",
    "keras_accuracy",
    "latency_ms",
    "instructions",
    "size_bytes",
    "peak_memory_bytes",
    "macs",
    "parameters",
)


def is_figure(value: float) -> bool:
    """Whether ``value`` can be averaged and drawn; NaN compares false with everything."""
    return -LARGEST < value < LARGEST


def sound(point: Point) -> Point:
    """``point`` without figures that are none."""
    changed: dict[str, Any] = {
        name: None for name in _FIGURES if (value := getattr(point, name)) is not None and not is_figure(value)
    }
    interval = point.latency_interval
    if interval is not None and not (is_figure(interval.low) and is_figure(interval.high)):
        changed["latency_interval"] = None
    return replace(point, **changed) if changed else point
