"""Where channels begin and end: the model's inputs, and layers that nothing is known about."""

from __future__ import annotations

import numpy as np

from tfkit.pruning.shrink.arrays import along_last
from tfkit.pruning.shrink.steps.base import Misplaced, Step
from tfkit.pruning.shrink.tracer import Flow, Tracer
from tfkit.quantization.calls import Call


class _Source(Step):
    """Gives channels of its own that all stay."""

    def begin(self, tracer: Tracer, reason: str) -> None:
        rank = len(self.shape)
        number = (self.shape[-1] or 1) if rank else 1
        labels = tracer.fresh(number).reshape(()) if rank == 0 else along_last(tracer.fresh(number), rank)
        self.flow = Flow(self.shape, labels, np.zeros_like(labels))
        tracer.fix(labels, reason)

    def evaluate(self) -> None:
        self.value = np.full(self.flow.labels.shape, np.nan)
        self.dropped = np.zeros(self.flow.labels.shape, bool)

    def place(self, kept: np.ndarray) -> None:
        self.places = np.arange(self.flow.labels.size).reshape(self.flow.labels.shape)


class Given(_Source):
    """An input of the model."""

    def trace(self, tracer: Tracer) -> None:
        self.begin(tracer, f"{self.name!r} is an input of the model")


class Opaque(_Source):
    """A layer that stays as it is, between the channels that it knows."""

    def __init__(self, call: Call, inputs: list[Step], first: Step | None, reason: str) -> None:
        super().__init__(call, inputs, first)
        self.reason = reason

    def trace(self, tracer: Tracer) -> None:
        for given in self.inputs:
            tracer.fix(given.flow.labels, f"{self.label} reads them: {self.reason}")
        self.begin(tracer, f"{self.label} makes them: {self.reason}")

    def place(self, kept: np.ndarray) -> None:
        for given in self.inputs:
            if not np.array_equal(given.places.ravel(), np.arange(given.flow.labels.size)):
                raise Misplaced(self, f"stays as it is: {self.reason}")
        super().place(kept)
