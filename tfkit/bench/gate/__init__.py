"""How far a result can be trusted: one rule per way in which a measurement goes wrong."""

from __future__ import annotations

from tfkit.bench.gate.evidence import Evidence
from tfkit.bench.gate.reason import LEVELS, Reason
from tfkit.bench.gate.rules import RULES, judge

__all__ = ["LEVELS", "RULES", "Evidence", "Reason", "judge"]
