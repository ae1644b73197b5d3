"""Magnitude pruning while training, on TF-MOT: ``prune``, train with ``callbacks()``, ``strip``."""

from __future__ import annotations

from tfkit.pruning.magnitude import callbacks, is_pruned, prune, sparsity, strip
from tfkit.pruning.tfmot import custom_objects

__all__ = ["callbacks", "custom_objects", "is_pruned", "prune", "sparsity", "strip"]
