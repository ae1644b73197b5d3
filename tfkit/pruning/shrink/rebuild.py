"""The shrunk model, from the calls that know their places."""

from __future__ import annotations

from typing import Any

from tfkit._keras import mapped
from tfkit.metadata import attach_metadata, metadata_of
from tfkit.pruning.shrink.steps import Step
from tfkit.pruning.shrink.structure import Structure
from tfkit.quantization.calls import Call
from tfkit.quantization.flatten import build


def rebuilt(model: Any, structure: Structure) -> Any:
    """A new model with the names, types and metadata of ``model``, whose weights are those that are left."""
    made: dict[int, Any] = {}

    def call(one: Call, tensors: list[Any]) -> Any:
        step = structure.steps[id(one)]
        fresh = id(step.first) not in made
        layer = made.setdefault(id(step.first), _layer(step.first)) if fresh else made[id(step.first)]
        if one.args or one.kwargs:
            given = dict(zip(map(id, one.inputs), tensors, strict=True))
            args, kwargs = mapped((one.args, dict(one.kwargs)), lambda x: given[id(x)] if isinstance(x, Call) else x)
            result = layer(*args, **kwargs)
        else:
            result = layer(tensors[0] if len(tensors) == 1 else tensors)
        if fresh and layer.weights:
            layer.set_weights(step.first.weights())
        return result[one.index] if isinstance(result, list | tuple) else result

    return attach_metadata(build(structure.graph, call), metadata_of(model))


def _layer(step: Step) -> Any:
    return type(step.layer).from_config(step.config())
