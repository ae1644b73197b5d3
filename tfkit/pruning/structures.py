"""Structures of a kernel: which of its weights are removed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from tfkit._errors import UnsupportedError, UsageError
from tfkit.pruning.choice import choose
from tfkit.pruning.shrink import CoupledSet, Member, coupled_channels

STRUCTURES = ("channel", "kernel", "group")


@dataclass(frozen=True)
class Structure:
    """The structures of one kernel (..., inputs, outputs).

    Attributes:
        places: int32, broadcastable to the kernel: the number of the structure that a weight belongs to;
            ``count`` for weights that always stay.
        count: how many structures there are.
        inputs: (inputs,), for channels: the structure that each input belongs to, ``count`` where it stays.
    """

    places: np.ndarray
    count: int
    inputs: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))

    def spread(self, values: Any) -> Any:
        """``values`` (count,) where their weights are, 1 elsewhere; broadcastable to the kernel."""
        return tf.gather(tf.concat([values, tf.ones(1, values.dtype)], 0), self.places)

    def sums(self, values: Any) -> Any:
        """The sum of ``values``, shaped like the kernel, over each structure: (count,)."""
        places = np.broadcast_to(self.places, values.shape).ravel()
        return tf.math.unsorted_segment_sum(tf.reshape(values, [-1]), places, self.count + 1)[: self.count]

    def sizes(self, shape: Any) -> np.ndarray:
        """Weights in each structure of a kernel of this shape: (count,)."""
        return np.bincount(np.broadcast_to(self.places, tuple(shape)).ravel(), minlength=self.count + 1)[: self.count]


def structures_of(model: Any, layers: Any, kind: str, group: int = 8) -> dict[str, Structure]:
    """layer -> the structures of its kernel, for all chosen layers that have some.

    "channel": everything that a kernel reads from one channel (axis -2), for channels that can be removed where they
    are made; behind a Flatten the features of one channel go together. "kernel": one position of a spatial kernel, for
    kernels larger than 1. "group": blocks of ``group`` input x ``group`` output channels.

    Raises:
        UsageError: another ``kind``.
        UnsupportedError: no chosen layer has such structures.
    """
    if kind not in STRUCTURES:
        raise UsageError(f"the structure is one of {', '.join(STRUCTURES)}; got {kind!r}")
    chosen = {name: model.get_layer(name) for name in choose(model, layers)}
    if kind == "channel":
        found = _channels(model, chosen)
    elif kind == "kernel":
        found = {name: _positions(layer) for name, layer in chosen.items() if np.prod(layer.kernel.shape[:-2]) > 1}
    else:
        found = {name: _blocks(layer, group) for name, layer in chosen.items() if _has_blocks(layer, group)}
    if not found:
        raise UnsupportedError(
            f"{model.name!r} has no {kind} that can be removed; structures are {', '.join(STRUCTURES)}"
        )
    return found


def _channels(model: Any, chosen: dict[str, Any]) -> dict[str, Structure]:
    read: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    for coupled in coupled_channels(model):
        if coupled.fixed is not None:
            continue
        for reader in coupled.readers:
            layer = chosen.get(reader.layer)
            if layer is None:
                continue
            inputs = int(layer.kernel.shape[-2]) * _groups(layer)
            start = counts.get(reader.layer, 0)
            where = read.setdefault(reader.layer, np.full(inputs, -1, np.int32))
            where[reader.indices] = start + np.arange(coupled.size, dtype=np.int32)[:, np.newaxis]
            counts[reader.layer] = start + coupled.size
    found = {}
    for name in (name for name in chosen if name in read):
        of_input = np.where(read[name] < 0, counts[name], read[name])
        found[name] = Structure(_where_read(chosen[name], of_input), counts[name], of_input)
    return found


def _where_read(layer: Any, of_input: np.ndarray) -> np.ndarray:
    """Structures of inputs as ``places``: an output of a grouped convolution reads the channels of its group only."""
    groups = _groups(layer)
    if groups == 1:
        return of_input[:, np.newaxis]
    return np.repeat(of_input.reshape(groups, -1).T, int(layer.kernel.shape[-1]) // groups, axis=1)


def _groups(layer: Any) -> int:
    return int(getattr(layer, "groups", 1))


def _positions(layer: Any) -> Structure:
    window = tuple(layer.kernel.shape[:-2])
    count = int(np.prod(window))
    return Structure(np.arange(count, dtype=np.int32).reshape(*window, 1, 1), count)


def _has_blocks(layer: Any, group: int) -> bool:
    inputs, outputs = layer.kernel.shape[-2:]
    fits = inputs % group == 0 == outputs % group and inputs > group
    return bool(_groups(layer) == 1 and len(layer.kernel.shape) > 2 and fits)


def _blocks(layer: Any, group: int) -> Structure:
    rows, columns = (int(size) // group for size in layer.kernel.shape[-2:])
    grid = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    return Structure(np.repeat(np.repeat(grid, group, 0), group, 1), rows * columns)


def by_filters(model: Any, scores: dict[str, np.ndarray], structures: dict[str, Structure]) -> dict[str, np.ndarray]:
    """Scores of channels where they are read, as scores of the filters that make them.

    A channel is worth the sum of what it is worth to its readers; one that no scored layer reads has no score.

    Returns:
        layer -> one score per output channel, for ``tfkit.pruning.select``.
    """
    worths = []
    for coupled in coupled_channels(model):
        readers = [reader for reader in coupled.readers if coupled.fixed is None and reader.layer in scores]
        parts = [scores[r.layer][structures[r.layer].inputs[r.indices[:, 0]]] for r in readers]
        worths.append(np.sum(parts, 0) if parts else None)
    return of_sets(model, worths)


def of_sets(model: Any, worths: Sequence[np.ndarray | None]) -> dict[str, np.ndarray]:
    """What the channels of every coupled set are worth (None: no score), as scores of the filters that make them.

    A layer may make channels of several sets; those without a score are worth as much as the best of all.
    """
    best = max(float(np.max(worth)) for worth in worths if worth is not None)
    found: dict[str, np.ndarray] = {}
    for coupled, worth in zip(coupled_channels(model), worths, strict=True):
        if worth is not None:
            maker = maker_of(coupled)
            outputs = int(model.get_layer(maker.layer).output_shape[-1])
            found.setdefault(maker.layer, np.full(outputs, best))[maker.indices[:, 0]] = worth
    return found


def maker_of(coupled: CoupledSet) -> Member:
    """The first layer whose filters are the channels of a set."""
    return next(member for member in coupled.members if member.kind == "filters")
