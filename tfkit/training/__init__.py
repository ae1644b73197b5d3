"""Train a classifier: recipes per family of networks, checkpoints, logs.

``RECIPES`` is readable without TensorFlow; the functions load it on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tfkit.training.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from tfkit.training.checkpoint import CheckpointFile
    from tfkit.training.loop import Progress, StepProgress, fit, recipe_of
    from tfkit.training.streams import accuracy, evaluate

__all__ = [
    "RECIPES",
    "CheckpointFile",
    "Progress",
    "Recipe",
    "StepProgress",
    "accuracy",
    "evaluate",
    "fit",
    "recipe_of",
]

_HOME = {
    "CheckpointFile": "tfkit.training.checkpoint",
    "Progress": "tfkit.training.loop",
    "StepProgress": "tfkit.training.loop",
    "fit": "tfkit.training.loop",
    "recipe_of": "tfkit.training.loop",
    "accuracy": "tfkit.training.streams",
    "evaluate": "tfkit.training.streams",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tfkit.training' has no attribute {name!r}")
