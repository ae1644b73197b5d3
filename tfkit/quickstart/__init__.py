"""The main job on real data, end to end, small enough to watch."""

from __future__ import annotations

from tfkit.quickstart.result import Result, Row

__all__ = ["Result", "Row"]
