"""Shrinking: models without the channels and groups that pruning zeroed, and which of them to choose."""

from __future__ import annotations

from tfkit.pruning.shrink.choosing import select
from tfkit.pruning.shrink.coupled import CoupledSet, Member, coupled_channels
from tfkit.pruning.shrink.norms import filter_norms
from tfkit.pruning.shrink.result import Left, Removed, Shrunk
from tfkit.pruning.shrink.shrinking import shrink

__all__ = ["CoupledSet", "Left", "Member", "Removed", "Shrunk", "coupled_channels", "filter_norms", "select", "shrink"]
