"""Calls that lay the same values out differently: channel shuffles, flattening."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tfkit.pruning.shrink.arrays import moved_by_reshape, rectangle, reshaped_source
from tfkit.pruning.shrink.steps.base import Misplaced, Step, Unfit
from tfkit.pruning.shrink.tracer import Flow, Tracer


class _Moved(Step):
    """What is at entry i comes from entry ``source[i]`` of the input."""

    source: np.ndarray

    def moved(self, array: np.ndarray) -> np.ndarray:
        return array.ravel()[self.source]

    def evaluate(self) -> None:
        self.value = self.moved(self.inputs[0].value)
        self.dropped = self.moved(self.inputs[0].dropped)


class Reshaped(_Moved):
    """``Flatten`` and ``Reshape``."""

    def trace(self, tracer: Tracer) -> None:
        given = self.inputs[0].flow
        before, after = given.shape, self.shape
        if None in before or None in after:
            raise Unfit("a reshape of an open size cannot be followed; give the model a fixed input shape")
        self.source = reshaped_source(given.labels.shape, [size or 0 for size in before], [size or 0 for size in after])
        labels, rows = self.moved(given.labels), self.moved(given.rows)
        changing = [axis for axis, entries in enumerate(labels.shape) if entries > 1]
        if len(changing) > 1:
            # Channels lie in rows that have to stay equally long.
            flat = np.arange(prod(labels.shape[:-1])).reshape((*labels.shape[:-1], 1))
            number = np.broadcast_to(flat, labels.shape)
            rows = rows * (int(number.max()) + 1) + number
            tracer.balance(self.name, [labels[number == row] for row in range(int(number.max()) + 1)])
        self.flow = Flow(after, labels, rows)

    def place(self, kept: np.ndarray) -> None:
        given = self.inputs[0]
        shape = rectangle(kept[self.flow.labels])
        if shape is None:
            raise Misplaced(self, "would lose different numbers of channels in its rows")
        pairs = zip(self.flow.labels.shape, shape, self.shape, strict=True)
        new = [left if entries > 1 else size or 0 for entries, left, size in pairs]
        if prod(new) != prod(size or 0 for size in given.size):
            raise Misplaced(self, "cannot lay out what is left")
        places = moved_by_reshape(
            given.places,
            (given.flow.labels.shape, self.flow.labels.shape),
            ([size or 0 for size in given.flow.shape], [size or 0 for size in self.shape]),
            new,
        )
        if places is None:
            raise Misplaced(self, "would move channels that are left to other pixels")
        self.places = places

    def config(self) -> dict[str, Any]:
        config = super().config()
        if "target_shape" in config:
            config["target_shape"] = tuple(self.size)
        return config


class Permuted(_Moved):
    """``Permute``."""

    def trace(self, tracer: Tracer) -> None:
        given = self.inputs[0].flow
        self.order = [axis - 1 for axis in self.layer.dims]
        self.source = np.arange(given.labels.size).reshape(given.labels.shape).transpose(self.order)
        self.flow = Flow(self.shape, self.moved(given.labels), self.moved(given.rows))

    def place(self, kept: np.ndarray) -> None:
        given = self.inputs[0]
        coordinates = np.unravel_index(given.places.transpose(self.order), given.flow.labels.shape)
        self.places = np.ravel_multi_index(tuple(coordinates[axis] for axis in self.order), self.flow.labels.shape)
