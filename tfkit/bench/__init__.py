"""Run flatbuffers on a device: correctness first, then latency with every sample kept."""

from __future__ import annotations

from tfkit.bench.result import Latency, Report, Result
from tfkit.bench.run import run
from tfkit.bench.spec import PRESETS, Preset
from tfkit.bench.table import as_table

__all__ = ["PRESETS", "Latency", "Preset", "Report", "Result", "as_table", "run"]
