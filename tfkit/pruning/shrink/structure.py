"""The channels of a whole model: which go together, which stay, which parts have to keep equally many."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tfkit._errors import UnsupportedError
from tfkit._keras import legacy_keras
from tfkit.pruning.shrink.steps import Contracting, Opaque, Step, Unfit, step_of
from tfkit.pruning.shrink.steps.depthwise import Depthwise
from tfkit.pruning.shrink.steps.elementwise import Normalization
from tfkit.pruning.shrink.tracer import Balance, Tracer
from tfkit.quantization.calls import Graph
from tfkit.quantization.flatten import is_graph, read

keras = legacy_keras()

# Layers with output channels of their own weights, as ``Member.kind`` calls them.
KINDS: tuple[tuple[type[Step], str], ...] = (
    (Contracting, "filters"),
    (Depthwise, "depthwise"),
    (Normalization, "normalization"),
)


def kind_of(step: Step) -> str | None:
    """Which ``Member.kind`` a call's layer is; None when it has no channels of its own."""
    return next((name for kind, name in KINDS if isinstance(step, kind)), None)


@dataclass(eq=False)
class Structure:
    """Every call of a model with its channels.

    Attributes:
        classes: for every label the number of its class; the channels of a class go together.
        fixed: class -> why it stays.
        sets: for every class the number of its set: classes in the same layers.
    """

    graph: Graph
    steps: dict[int, Step]
    classes: np.ndarray
    fixed: dict[int, str]
    balances: list[Balance]

    @property
    def number(self) -> int:
        """Of classes."""
        return int(self.classes.max()) + 1 if self.classes.size else 0

    @cached_property
    def layers(self) -> list[Step]:
        """The first use of every layer, producers first."""
        return [step for step in self.steps.values() if step.first is step]

    @cached_property
    def by_name(self) -> dict[str, Step]:
        return {step.name: step for step in self.layers}

    def made(self, step: Step) -> np.ndarray:
        """Classes of what a call gives."""
        return self.classes[step.flow.labels]

    def read(self, step: Step) -> np.ndarray:
        """Classes of a call's first input."""
        return self.classes[step.inputs[0].flow.labels]

    @cached_property
    def members(self) -> list[tuple[str, ...]]:
        """For every class the layers whose own output channels are in it, as often as they have some."""
        found: list[list[str]] = [[] for _ in range(self.number)]
        for step in self.layers:
            if kind_of(step):
                for number in self.made(step).ravel():
                    found[number].append(step.name)
        return [tuple(names) for names in found]

    @cached_property
    def sets(self) -> np.ndarray:
        keys: dict[Any, int] = {}
        return np.array(
            [keys.setdefault((names, self.fixed.get(number)), len(keys)) for number, names in enumerate(self.members)],
            int,
        )

    @cached_property
    def classes_of_set(self) -> list[np.ndarray]:
        """Classes of each set, in the order of their channels."""
        order = np.argsort(self.sets, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.sets[order])) + 1)

    def is_free(self, number: int) -> bool:
        """Whether the channels of a set may go and belong to a layer."""
        first = int(self.classes_of_set[number][0])
        return first not in self.fixed and bool(self.members[first])


def structure_of(model: Any) -> Structure:
    """Follow the channels through a functional or sequential model; models inside it are opened.

    Raises:
        UnsupportedError: the model is subclassed or not built, or wears wrappers of pruning or quantization.
    """
    _check_kind(model)
    graph = read(model)
    tracer = Tracer()
    steps: dict[int, Step] = {}
    first: dict[int, Step] = {}
    for call in graph.calls():
        inputs = [steps[id(given)] for given in call.inputs]
        step = step_of(call, inputs, first.get(id(call.layer)))
        try:
            step.trace(tracer)
        except Unfit as error:
            step.uses.remove(step)
            step = Opaque(call, inputs, first.get(id(call.layer)), str(error))
            step.trace(tracer)
        if isinstance(step, Opaque) and step.first is not step:
            for use in [*step.first.inputs, step.first]:
                tracer.fix(use.flow.labels, f"{step.label} is used elsewhere: {step.reason}")
        first.setdefault(id(call.layer), step)
        steps[id(call)] = step
    for call in graph.outputs:
        tracer.fix(steps[id(call)].flow.labels, f"{steps[id(call)].name!r} is an output of the model")
    classes = tracer.classes()
    fixed: dict[int, str] = {}
    for entry in tracer.fixed:
        for number in np.unique(classes[entry.labels]):
            fixed.setdefault(int(number), entry.reason)
    return Structure(graph, steps, classes, fixed, tracer.balances)


def _check_kind(model: Any) -> None:
    name = getattr(model, "name", type(model).__name__)
    if not isinstance(model, keras.Model):
        raise UnsupportedError(f"shrink takes a tf_keras model, not {type(model).__module__}.{type(model).__name__}")
    if not model.built or not hasattr(model, "layers") or not is_graph(model):
        raise UnsupportedError(
            f"{name!r} is subclassed or not built, so its layers cannot be seen; "
            "use keras.Sequential with an Input layer, or keras.Model(inputs, outputs)"
        )
    wrapped = defaultdict(list)
    for layer in model.layers:
        if type(layer).__name__ == "PruneLowMagnitude":
            wrapped["is being pruned; call tfkit.strip(model) first"].append(layer.name)
        elif type(layer).__name__.startswith(("QuantizeWrapper", "QuantizeLayer")):
            wrapped["is quantization-aware; shrink the float model, then quantize_aware(shrunk.model)"].append(
                layer.name
            )
    for reason in wrapped:
        raise UnsupportedError(f"{name!r} {reason}")
