"""The one file that reaches into TensorFlow Model Optimization's pruning beyond its public names.

``tests/pruning/test_tfmot.py`` fails when a release moves what is used here.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from tensorflow_model_optimization.python.core.sparsity.keras import (
    prune_registry,
    pruning_schedule,
    pruning_wrapper,
)

PruneLowMagnitude = pruning_wrapper.PruneLowMagnitude


def custom_objects() -> dict[str, Any]:
    """Every class of TF-MOT's that the file of a pruned model may name."""
    return {
        "PruneLowMagnitude": PruneLowMagnitude,
        "PolynomialDecay": pruning_schedule.PolynomialDecay,
        "ConstantSparsity": pruning_schedule.ConstantSparsity,
    }


def kernels(layer: Any) -> list[Any]:
    """The weights that TF-MOT prunes in a layer, none for a layer that it does not know."""
    names = prune_registry.PruneRegistry._LAYERS_WEIGHTS_MAP.get(type(layer), ())
    return [attrgetter(name)(layer) for name in names]


def masked(wrapper: Any) -> Iterator[tuple[Any, Any]]:
    """(weight, its mask of zeros and ones) of a wrapped layer."""
    for weight, mask, _ in wrapper.pruning_vars:
        yield weight, mask
