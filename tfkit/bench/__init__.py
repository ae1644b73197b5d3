"""Run flatbuffers on a device: correctness first, then latency with every sample kept, and how far to trust it."""

from __future__ import annotations

from tfkit.bench.compare import Comparison, compare
from tfkit.bench.reading import read_report
from tfkit.bench.result import Latency, Report, Result
from tfkit.bench.run import run
from tfkit.bench.spec import PRESETS, Preset
from tfkit.bench.table import as_table

__all__ = [
    "PRESETS",
    "Comparison",
    "Latency",
    "Preset",
    "Report",
    "Result",
    "as_table",
    "compare",
    "read_report",
    "run",
]
