"""Whether a figure reaches its target, as the tables say it in their last column."""

from __future__ import annotations

from collections.abc import Iterable

HEADING = "target"


def at_least(figures: Iterable[tuple[str, float, float]]) -> str:
    """ "met", or which of the figures (name, value, target) are missed and by how much."""
    missed = [f"{name} by {1 - value / target:.0%}" for name, value, target in figures if value < target]
    return f"missed: {', '.join(missed)}" if missed else "met"


def at_most(value: float, target: float) -> str:
    """ "met", or by how much it is missed."""
    return "met" if value <= target else f"missed by {value / target - 1:.0%}"
