"""One class per kind of call: what it does to channels, to constants, and what it is in the shrunk model."""

from __future__ import annotations

from tfkit.pruning.shrink.steps.base import Misplaced, Step, Unfit
from tfkit.pruning.shrink.steps.contracting import Contracting
from tfkit.pruning.shrink.steps.kinds import step_of
from tfkit.pruning.shrink.steps.opaque import Given, Opaque

__all__ = ["Contracting", "Given", "Misplaced", "Opaque", "Step", "Unfit", "step_of"]
