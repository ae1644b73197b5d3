"""What every kind of call answers."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from tfkit.pruning.shrink.arrays import only_last
from tfkit.pruning.shrink.tracer import Flow, Tracer
from tfkit.quantization.calls import Call


class Unfit(Exception):
    """A call of a known kind does something unusual; the text completes "'x' stays as it is, for ..."."""


class Misplaced(Exception):
    """With these channels kept, a call would find others than it reads."""

    def __init__(self, step: Step, reason: str) -> None:
        super().__init__(f"{step.label} {reason}")
        self.step = step
        self.reason = reason


class Step:
    """One call, followed three times: ``trace`` finds channels, ``evaluate`` constants, ``place`` what stays where.

    Attributes:
        flow: the channels of what it gives.
        value: for each of them the number that it always is, NaN where it depends on the input.
        dropped: for each of them whether a plan takes it as zero.
        places: which entries of ``flow.labels`` the shrunk model has, flat indices in the shape that they form.
    """

    flow: Flow
    value: np.ndarray
    dropped: np.ndarray
    places: np.ndarray

    def __init__(self, call: Call, inputs: list[Step], first: Step | None = None) -> None:
        self.call = call
        self.inputs = inputs
        self.first = self if first is None else first
        self.uses: list[Step] = [self] if first is None else first.uses
        if first is not None:
            first.uses.append(self)
        self.planned: np.ndarray | None = None

    @property
    def name(self) -> str:
        """Of the layer: that of its first call."""
        return self.first.call.name

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.name!r} ({self.call.kind})"

    @property
    def layer(self) -> Any:
        return self.call.layer

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Of what it gives, without the batch."""
        return tuple(self.call.shape[1:])

    @property
    def size(self) -> tuple[int | None, ...]:
        """Of what it gives in the shrunk model."""
        pairs = zip(self.flow.labels.shape, self.places.shape, self.flow.shape, strict=True)
        return tuple(left if entries > 1 else size for entries, left, size in pairs)

    def trace(self, tracer: Tracer) -> None:
        """Set ``flow``; tell the tracer what binds channels. Raises ``Unfit``."""
        raise NotImplementedError

    def evaluate(self) -> None:
        """Set ``value`` and ``dropped``."""
        raise NotImplementedError

    def place(self, kept: np.ndarray) -> None:
        """Set ``places``; ``kept`` says of every label whether it stays. Raises ``Misplaced``."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Of the layer in the shrunk model."""
        return {**self.layer.get_config(), "name": self.name}

    def weights(self) -> list[np.ndarray]:
        """Of the layer in the shrunk model."""
        return list(self.call.values())

    @cached_property
    def own(self) -> list[np.ndarray]:
        """The weights as they are."""
        return list(self.call.values())

    def follow_first(self, tracer: Tracer) -> None:
        """A layer with weights that is used again keeps the same channels in all uses."""
        if self.first is self:
            return
        for mine, its in zip(
            [given.flow for given in self.inputs] + [self.flow],
            [given.flow for given in self.first.inputs] + [self.first.flow],
            strict=True,
        ):
            if mine.labels.shape != its.labels.shape:
                raise Unfit("it is used on tensors whose channels lie differently")
            tracer.unite(mine.labels, its.labels)

    def check_first(self) -> None:
        """Whether all uses of a layer agree about what stays."""
        for mine, its in zip([*self.inputs, self], [*self.first.inputs, self.first], strict=True):
            if not np.array_equal(mine.places, its.places):
                raise Misplaced(self, "is used on tensors that would keep different channels")

    def as_input(self) -> None:
        """What a call does that leaves its only input's channels where they are."""
        self.value, self.dropped = self.inputs[0].value, self.inputs[0].dropped

    def drop_planned(self) -> None:
        """Add what a plan takes as zero."""
        if self.planned is not None:
            self.dropped = self.dropped | self.planned.reshape(self.dropped.shape)


def needs_channels_last(step: Step) -> None:
    """Raise ``Unfit`` unless the channels of the only input lie on the last axis, and on no other one."""
    if getattr(step.layer, "data_format", "channels_last") == "channels_first":
        raise Unfit("it takes its channels first; only channels last are followed")
    if not only_last(step.inputs[0].flow.labels):
        raise Unfit("channels do not lie on its last axis alone")
