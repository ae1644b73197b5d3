"""Which precision is worth it, layer by layer, on one device: measured, predicted, planned, and carried out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tfkit.tradeoffs.advise.budgets import Budgets

if TYPE_CHECKING:
    from tfkit.tradeoffs.advise.advice import Advice
    from tfkit.tradeoffs.advise.run import advise

__all__ = ["Advice", "Budgets", "advise"]

_HOME = {"Advice": "tfkit.tradeoffs.advise.advice", "advise": "tfkit.tradeoffs.advise.run"}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tfkit.tradeoffs.advise' has no attribute {name!r}")
