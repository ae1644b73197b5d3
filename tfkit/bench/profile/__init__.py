"""Where a run's time goes, layer by layer: a profile document of the runner mapped back to the user's model."""

from __future__ import annotations

from tfkit.bench.profile.attribution import attribute
from tfkit.bench.profile.model import Profile, Row

__all__ = ["Profile", "Row", "attribute"]
