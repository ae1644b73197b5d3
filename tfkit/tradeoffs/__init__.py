"""What a model costs and what it is worth: sweeps over compression methods, their points, and what is best of them."""

from __future__ import annotations

from tfkit.tradeoffs.pareto import front
from tfkit.tradeoffs.points import Interval, Point, SweepError, read_points

__all__ = ["Interval", "Point", "SweepError", "front", "read_points"]
