"""Find what a network can do without, and take it out.

``METHODS`` has the methods by name. ``prepare`` puts one into a model, ``tfkit.training.fit`` trains it, ``finish``
takes it off again, ``cut`` gives the smaller model where whole structures go. ``prune`` and ``strip`` are magnitude
pruning on TF-MOT. ``tfkit.shrink`` removes what is zero; ``tfkit.pruning.compression`` codes what is left.
"""

from __future__ import annotations

from tfkit.pruning.cutting import cut
from tfkit.pruning.magnitude import callbacks, is_pruned, prune, sparsity, strip
from tfkit.pruning.method import Method, finish, prepare, pruning_of
from tfkit.pruning.methods import METHODS
from tfkit.pruning.shrink import coupled_channels, filter_norms, select
from tfkit.pruning.tfmot import custom_objects

__all__ = [
    "METHODS",
    "Method",
    "callbacks",
    "coupled_channels",
    "custom_objects",
    "cut",
    "filter_norms",
    "finish",
    "is_pruned",
    "prepare",
    "prune",
    "pruning_of",
    "select",
    "sparsity",
    "strip",
]
