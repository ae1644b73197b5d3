"""Whether a figure reaches its target, as the tables say it in their last column."""

from __future__ import annotations

from collections.abc import Iterable

HEADING = "target"


def at_least(figures: Iterable[tuple[str, float, float]]) -> str:
    """ "met", or which of the figures (name, value, target) are missed and by how much."""
    missed = [f"{name} by {_share(1 - value / target)}" for name, value, target in figures if value < target]
    return f"missed: {', '.join(missed)}" if missed else "met"


def at_most(value: float, target: float) -> str:
    """ "met", or by how much it is missed."""
    return "met" if value <= target else f"missed by {_share(value / target - 1)}"


def _share(missed: float) -> str:
    """A miss by less than 1 % is not one by 0 %."""
    return f"{missed:.0%}" if missed >= 0.095 else f"{missed:.1%}"
