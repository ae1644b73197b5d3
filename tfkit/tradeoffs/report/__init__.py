"""A sweep as one page to read, as CSV and as figures for a paper."""

from __future__ import annotations

from tfkit.tradeoffs.report.study import Study
from tfkit.tradeoffs.report.write import write

__all__ = ["Study", "write"]
