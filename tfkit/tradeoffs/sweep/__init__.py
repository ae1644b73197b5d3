"""Sweeps: every model, compressed in every way, trained with every seed, measured on every device."""

from __future__ import annotations

from tfkit.tradeoffs.sweep.reader import SpecError
from tfkit.tradeoffs.sweep.run import sweep
from tfkit.tradeoffs.sweep.spec import Spec, read_spec

__all__ = ["Spec", "SpecError", "read_spec", "sweep"]
