"""Calls of several tensors: sums, products, concatenation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tfkit.pruning.shrink.arrays import only_last
from tfkit.pruning.shrink.steps.base import Misplaced, Step, Unfit
from tfkit.pruning.shrink.tracer import Flow, Tracer

Values = list[np.ndarray]


def _product(values: Values) -> np.ndarray:
    some_zero = np.any([value == 0 for value in values], axis=0)
    return np.where(some_zero, 0.0, np.prod(values, axis=0))


FUNCTIONS: dict[str, Callable[[Values], np.ndarray]] = {
    "add": lambda values: np.sum(values, axis=0),
    "subtract": lambda values: values[0] - values[1],
    "multiply": _product,
    "average": lambda values: np.mean(values, axis=0),
    "maximum": lambda values: np.max(values, axis=0),
    "minimum": lambda values: np.min(values, axis=0),
}


class Merged(Step):
    """y = f(x1, x2, ...) channel by channel; inputs with axes of one are spread, as NumPy does it."""

    function = ""

    def trace(self, tracer: Tracer) -> None:
        rank = len(self.shape)
        if any(len(given.flow.shape) > rank for given in self.inputs):
            raise Unfit("it gives fewer axes than it reads")
        labels = [_raised(given.flow.labels, rank) for given in self.inputs]
        # An axis of one that meets channels is read for each of them.
        self.spread = [
            self._is_spread(given.flow.shape, array, labels) for given, array in zip(self.inputs, labels, strict=True)
        ]
        coupled = [array for array, spread in zip(labels, self.spread, strict=True) if not spread]
        if not coupled:
            raise Unfit("it spreads each of its inputs over the channels of another")
        for array, spread in zip(labels, self.spread, strict=True):
            if spread:
                tracer.fix(array, f"{self.label} spreads them over all channels of another tensor")
        shape = np.broadcast_shapes(*(array.shape for array in labels))
        first = np.broadcast_to(coupled[0], shape)
        for array in coupled[1:]:
            tracer.unite(first, array)
        rows = [given.flow.rows for given, spread in zip(self.inputs, self.spread, strict=True) if not spread]
        self.flow = Flow(self.shape, first, np.broadcast_to(_raised(rows[0], rank), shape))

    def _is_spread(self, size: tuple[int | None, ...], mine: np.ndarray, labels: list[np.ndarray]) -> bool:
        raised = (1,) * (mine.ndim - len(size)) + tuple(size)
        return any(
            raised[axis] == 1 and self.shape[axis] != 1 and max(array.shape[axis] for array in labels) > 1
            for axis in range(mine.ndim)
        )

    def evaluate(self) -> None:
        shape = self.flow.labels.shape
        values = [np.broadcast_to(_raised(given.value, len(shape)), shape) for given in self.inputs]
        dropped = [np.broadcast_to(_raised(given.dropped, len(shape)), shape) for given in self.inputs]
        self.value = FUNCTIONS[self.function](values)
        gone = [drop | (value == 0) for drop, value in zip(dropped, values, strict=True)]
        all_or_one = np.any if self.function == "multiply" else np.all
        self.dropped = all_or_one(gone, axis=0) & np.any(dropped, axis=0)

    def place(self, kept: np.ndarray) -> None:
        rank = len(self.shape)
        left = [
            _raised(given.places, rank) for given, spread in zip(self.inputs, self.spread, strict=True) if not spread
        ]
        if any(not np.array_equal(left[0], other) for other in left[1:]):
            raise Misplaced(self, "would get its inputs' channels in different orders")
        self.places = left[0]


class Joined(Step):
    """``Concatenate``."""

    def trace(self, tracer: Tracer) -> None:
        rank = len(self.call.shape)
        flows = [given.flow for given in self.inputs]
        if not all(only_last(flow.labels) for flow in flows):
            raise Unfit("channels do not lie on its last axis alone")
        self.by_channel = self.layer.axis % rank == rank - 1
        if self.by_channel:
            labels = np.concatenate([flow.labels for flow in flows], axis=-1)
            rows = np.concatenate([flow.rows for flow in flows], axis=-1)
        else:
            labels, rows = flows[0].labels, flows[0].rows
            for flow in flows[1:]:
                tracer.unite(labels, flow.labels)
        self.flow = Flow(self.shape, labels, rows)

    def evaluate(self) -> None:
        values = [given.value for given in self.inputs]
        dropped = [given.dropped for given in self.inputs]
        if self.by_channel:
            self.value, self.dropped = np.concatenate(values, axis=-1), np.concatenate(dropped, axis=-1)
            return
        alike = np.all([value == values[0] for value in values], axis=0)
        self.value = np.where(alike, values[0], np.nan)
        gone = [drop | (value == 0) for drop, value in zip(dropped, values, strict=True)]
        self.dropped = np.all(gone, axis=0) & np.any(dropped, axis=0)

    def place(self, kept: np.ndarray) -> None:
        left = [given.places for given in self.inputs]
        if not self.by_channel:
            if any(not np.array_equal(left[0], other) for other in left[1:]):
                raise Misplaced(self, "would get its inputs' channels in different orders")
            self.places = left[0]
            return
        offsets = np.cumsum([0, *(given.flow.labels.size for given in self.inputs[:-1])])
        self.places = np.concatenate([part + offset for part, offset in zip(left, offsets, strict=True)], axis=-1)


def _raised(array: np.ndarray, rank: int) -> np.ndarray:
    return array.reshape((1,) * (rank - array.ndim) + array.shape)
