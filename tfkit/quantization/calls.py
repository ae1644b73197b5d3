"""A Keras model as a list of calls: which layer, on whose results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfkit._keras import mapped

Shape = tuple[int | None, ...]


@dataclass(eq=False)
class Call:
    """One layer called once.

    ``layer`` is a template: configuration and, unless ``weights`` are given, the weights. ``shape`` is that of the
    result, with the batch (None) first. Operators (TensorFlow functions called on Keras tensors) keep their arguments
    with calls in place of tensors, and ``index`` says which of several results this is.
    """

    layer: Any
    inputs: list[Call]
    name: str
    shape: Shape
    weights: Sequence[np.ndarray] | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    index: int = 0
    limits: tuple[float, float] | None = None

    @property
    def kind(self) -> str:
        return type(self.layer).__name__

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.name!r} ({self.kind})"

    def values(self) -> Sequence[np.ndarray]:
        """The weights that a copy of the layer gets."""
        return self.layer.get_weights() if self.weights is None else self.weights


@dataclass
class Graph:
    """Calls between ``inputs`` and ``outputs``, found by walking back from the outputs."""

    name: str
    inputs: list[Call]
    outputs: list[Call]

    def calls(self) -> list[Call]:
        """Every call that an output depends on, producers first; inputs come even when nothing reads them."""
        ordered: dict[int, Call] = {id(call): call for call in self.inputs}
        waiting = list(reversed(self.outputs))
        while waiting:
            call = waiting[-1]
            missing = [] if id(call) in ordered else [i for i in call.inputs if id(i) not in ordered]
            if missing:
                waiting.extend(reversed(missing))
                continue
            ordered.setdefault(id(call), call)
            waiting.pop()
        return list(ordered.values())

    def readers(self) -> dict[int, list[Call | None]]:
        """id of a call -> who reads it, once per reading; None stands for an output of the graph."""
        found: dict[int, list[Call | None]] = {id(call): [] for call in self.calls()}
        for call in self.calls():
            for given in call.inputs:
                found[id(given)].append(call)
        for call in self.outputs:
            found[id(call)].append(None)
        return found

    def rewritten(self, rewrite: Callable[[Call], Call]) -> Graph:
        """Apply ``rewrite`` to every call, producers first, in place; what it returns takes the place of the call."""
        replaced: dict[int, Call] = {}
        for call in self.calls():
            call.inputs = [replaced[id(given)] for given in call.inputs]
            if call.args or call.kwargs:
                call.args, call.kwargs = mapped((call.args, dict(call.kwargs)), _in_place_of(replaced))
            replaced[id(call)] = call if call in self.inputs else rewrite(call)
        return Graph(self.name, self.inputs, [replaced[id(call)] for call in self.outputs])


def _in_place_of(replaced: Mapping[int, Call]) -> Callable[[Any], Any]:
    return lambda value: replaced[id(value)] if isinstance(value, Call) else value


class Names:
    """Names that are given out once."""

    def __init__(self, taken: Iterator[str] | Sequence[str] = ()) -> None:
        self._taken = set(taken)

    def unique(self, *wishes: str) -> str:
        """The first wish that is free, else the last one with the lowest number from 2 that makes it free."""
        choices = [*wishes, *(f"{wishes[-1]}_{number}" for number in range(2, len(self._taken) + 3))]
        name = next(choice for choice in choices if choice not in self._taken)
        self._taken.add(name)
        return name
