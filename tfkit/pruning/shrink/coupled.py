"""Which channels go together, for methods that choose what to prune."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit.pruning.shrink.steps import Contracting, Step
from tfkit.pruning.shrink.structure import Structure, kind_of, structure_of


@dataclass(frozen=True, eq=False)
class Member:
    """One layer's part in a set.

    Attributes:
        layer: its name.
        kind: "filters" (dense layers, convolutions), "depthwise" or "normalization"; of readers always "filters".
        indices: [channels of the set, r], the r channels of the layer that are each channel of the set: outputs of a
            member, inputs of a reader. r is 1 but for depth multipliers, and dense layers behind ``Flatten``.
    """

    layer: str
    kind: str
    indices: np.ndarray


@dataclass(frozen=True, eq=False)
class CoupledSet:
    """Channels that go one by one, each from all members at the same time.

    Attributes:
        name: of the first layer in it.
        size: how many channels.
        members: the layers whose own outputs they are: one is enough to zero a channel only where it is alone.
        readers: the layers that sum over them.
        fixed: why none of them may go, else None.
    """

    name: str
    size: int
    members: tuple[Member, ...]
    readers: tuple[Member, ...]
    fixed: str | None


def coupled_channels(model: Any) -> list[CoupledSet]:
    """The sets of channels that go together through additions, products, depthwise convolutions and normalizations.

    A layer's outputs may be in several sets, as those behind a concatenation that is added to something.

    Raises:
        UnsupportedError: the model is subclassed or not built, or wears wrappers of pruning or quantization.
    """
    return coupled_sets(structure_of(model))


def coupled_sets(structure: Structure) -> list[CoupledSet]:
    """``coupled_channels`` of a structure."""
    made: dict[int, list[Member]] = {}
    read: dict[int, list[Member]] = {}
    for step in structure.layers:
        kind = kind_of(step)
        if kind:
            _add(made, structure, step, kind, structure.made(step).ravel())
        if isinstance(step, Contracting):
            _add(read, structure, step, "filters", structure.read(step).ravel())
    found = []
    for number in sorted(made):
        classes = structure.classes_of_set[number]
        members = tuple(made[number])
        if any(member.kind == "filters" for member in members):
            reason = structure.fixed.get(int(classes[0]))
            found.append(CoupledSet(members[0].layer, len(classes), members, tuple(read.get(number, ())), reason))
    return found


def _add(found: dict[int, list[Member]], structure: Structure, step: Step, kind: str, classes: np.ndarray) -> None:
    """Note for each set which of a layer's channels, of these classes, are in it."""
    for number in np.unique(structure.sets[classes]):
        places: dict[int, list[int]] = {int(one): [] for one in structure.classes_of_set[number]}
        for index in np.flatnonzero(structure.sets[classes] == number):
            places[int(classes[index])].append(int(index))
        longest = max(map(len, places.values()))
        # A reader may see a part of a set only; members see all of it, by what a set is.
        rows = [row for row in places.values() if len(row) == longest]
        if len(rows) == len(places):
            found.setdefault(int(number), []).append(Member(step.name, kind, np.array(rows)))
        else:
            indices = np.full((len(places), longest), -1)
            for at, row in enumerate(places.values()):
                indices[at, : len(row)] = row
            found.setdefault(int(number), []).append(Member(step.name, kind, indices))
