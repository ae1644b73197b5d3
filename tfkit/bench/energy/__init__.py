"""Joules of a run, from whatever the device has that tells: power rails, sensors on a board, RAPL, the battery."""

from __future__ import annotations

from tfkit.bench.energy.consumption import measure
from tfkit.bench.energy.source import Reading, Source
from tfkit.bench.energy.sources import SOURCES

__all__ = ["SOURCES", "Reading", "Source", "measure"]
