"""What the quantizers of a network ask of a run: schedules that are counted in epochs."""

from __future__ import annotations

import math
from typing import Any

from tfkit._keras import flat_layers
from tfkit.quantizers import INQ, IncrementalQuantization, Settling
from tfkit.quantizers._drawing import Drawing
from tfkit.training.recipes import Recipe


def quantizer_callbacks(network: Any, recipe: Recipe) -> list[Any]:
    """Callbacks for ``INQ`` kernels, whose weights are fixed in portions, and for quantizers that draw values."""
    layers = flat_layers(network)
    found: list[Any] = []
    if any(isinstance(layer, INQ) for layer in layers):
        found.append(IncrementalQuantization.at(recipe.partitions, recipe.epochs))
    if any(isinstance(layer, Drawing) for layer in layers):
        found.append(Settling(math.floor(recipe.settle * recipe.epochs)))
    return found
