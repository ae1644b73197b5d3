"""What steps do, by kind. Importing this imports no TensorFlow: that happens in the process that does the work."""

from __future__ import annotations

from tfkit.tradeoffs.sweep.work.carry import carry
from tfkit.tradeoffs.sweep.work.measure import measure

__all__ = ["carry", "measure"]
