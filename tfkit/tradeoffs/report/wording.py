"""Figures of averages as people read them, on the page and beside the marks of a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfkit._units import format_bytes, format_count, format_seconds
from tfkit.tradeoffs.report.averages import Average, flat

NOTHING = "-"


def accuracy(value: float | None) -> str:
    """In percent."""
    return NOTHING if value is None else f"{value:.2%}"


def latency(milliseconds: float | None) -> str:
    """In the unit that fits."""
    return NOTHING if milliseconds is None else format_seconds(milliseconds * 1e-3)


def throughput(milliseconds: float | None) -> str:
    """Inferences per second, one at a time."""
    if not milliseconds:
        return NOTHING
    rate = 1e3 / milliseconds
    return f"{rate:,.0f} per second" if rate >= 100 else f"{rate:.3g} per second"


def count(value: int | None) -> str:
    """Of instructions, MACs, parameters."""
    return NOTHING if value is None else format_count(value)


def size(value: int | None) -> str:
    """In bytes."""
    return NOTHING if value is None else format_bytes(value)


def trust(value: bool | None) -> str:
    """The gate's verdict."""
    return {True: "trusted", False: "not trusted", None: NOTHING}[value]


def accuracy_with_range(one: Average) -> str:
    """The mean, and the lowest and the highest seed."""
    spread = one.accuracy_range
    seeds = f" ({accuracy(spread.low)} to {accuracy(spread.high)}, {len(one.seeds)} seeds)" if spread else ""
    return accuracy(one.mean.accuracy) + seeds


def cost(one: Average) -> str:
    """Latency, on emulated devices instructions."""
    return f"{count(one.mean.instructions)} instructions" if one.emulated else latency(one.mean.latency_ms)


def cost_with_range(one: Average) -> str:
    """The mean, and how far the seeds and the intervals of their medians reach."""
    if one.cost_range is None:
        return cost(one)
    ends = (one.cost_range.low, one.cost_range.high)
    reach = [count(round(end)) if one.emulated else latency(end) for end in ends]
    return f"{cost(one)} ({reach[0]} to {reach[1]})"


def settings(values: Mapping[str, Any]) -> str:
    """In one line."""
    return "; ".join(f"{key}={value}" for key, value in flat(values).items())
