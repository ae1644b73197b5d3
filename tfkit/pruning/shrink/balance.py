"""How many channels stay where a target likes multiples, and where parts have to keep equally many.

Groups of a convolution, and rows of a channel shuffle, keep as many channels each. Together with residual sums and
concatenations that gives equations between the numbers that stay, with integer solutions to find: a small integer
program for each component of sets that depend on each other.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tfkit.pruning.shrink.structure import Structure


@dataclass(frozen=True, eq=False)
class Bucket:
    """Classes that no equation tells apart: of one set, in the same ``parts`` as often."""

    classes: np.ndarray
    set: int
    parts: tuple[tuple[int, int], ...]

    def times(self, balance: int, part: int) -> int:
        """How often each class is in a part."""
        return self.parts.count((balance, part))


@dataclass(frozen=True, eq=False)
class Component:
    """Sets whose numbers depend on each other; without ``balances`` a single set."""

    structure: Structure
    sets: tuple[int, ...]
    buckets: tuple[Bucket, ...]
    balances: tuple[int, ...]

    @cached_property
    def sizes(self) -> np.ndarray:
        return np.array([bucket.classes.size for bucket in self.buckets])

    @property
    def layers(self) -> str:
        """Names of the layers whose parts are to be equal, for messages."""
        names = dict.fromkeys(self.structure.balances[number].layer for number in self.balances)
        listed = ", ".join(repr(name) for name in list(names)[:3])
        return listed if len(names) <= 3 else f"{listed}, ..."

    def counts(
        self, least: np.ndarray, wanted: np.ndarray, multiple_of: int, empty: frozenset[tuple[int, int]] = frozenset()
    ) -> np.ndarray:
        """How many classes of each bucket stay: at least ``least``, near to ``wanted``, all if nothing else works.

        ``empty`` are parts (balance, part) of groups that are to go as a whole; they stay when that does not work.
        """
        if not self.balances:
            size, number = int(self.sizes[0]), int(max(least[0], wanted[0], 1))
            return np.array([min(size, -(-number // multiple_of) * multiple_of)])
        if np.array_equal(wanted, self.sizes):
            return self.sizes
        for parts in [empty, frozenset[tuple[int, int]]()] if empty else [empty]:
            multiple = multiple_of
            while multiple:
                found = _solved(self, least, wanted, multiple, parts)
                if found is not None:
                    return found
                multiple //= 2
        return self.sizes


def components_of(structure: Structure) -> list[Component]:
    """The sets that may lose channels, with those that their numbers depend on."""
    memberships: dict[int, list[tuple[int, int]]] = defaultdict(list)
    neighbours: dict[int, set[int]] = defaultdict(set)
    for number, balance in enumerate(structure.balances):
        touched = set()
        for part, labels in enumerate(balance.parts):
            for one in structure.classes[labels]:
                memberships[int(one)].append((number, part))
                touched.add(int(structure.sets[one]))
        for one in touched:
            neighbours[one] |= touched
    seen: set[int] = set()
    found = []
    for start in range(len(structure.classes_of_set)):
        if start in seen or not (structure.is_free(start) or neighbours[start]):
            continue
        sets = _reachable(start, neighbours)
        seen |= sets
        if not any(structure.is_free(one) for one in sets):
            continue
        buckets: dict[tuple[int, tuple[tuple[int, int], ...]], list[int]] = defaultdict(list)
        for number in sorted(sets):
            for one in structure.classes_of_set[number]:
                buckets[number, tuple(sorted(memberships[int(one)]))].append(int(one))
        parts = tuple(Bucket(np.array(classes), number, key) for (number, key), classes in buckets.items())
        balances = sorted({balance for bucket in parts for balance, _ in bucket.parts})
        found.append(Component(structure, tuple(sorted(sets)), parts, tuple(balances)))
    return found


def _reachable(start: int, neighbours: dict[int, set[int]]) -> set[int]:
    found, waiting = {start}, [start]
    while waiting:
        for other in neighbours[waiting.pop()] - found:
            found.add(other)
            waiting.append(other)
    return found


def _solved(
    component: Component, least: np.ndarray, wanted: np.ndarray, multiple: int, empty: frozenset[tuple[int, int]]
) -> np.ndarray | None:
    """The integer program: minimize sum |k - wanted|; None when it has no solution."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    structure, buckets = component.structure, component.buckets
    number, sets = len(buckets), [one for one in component.sets if structure.is_free(one)]
    # Variables: kept counts k, distances d, then for every set a number of multiples and whether it stays whole.
    size = 2 * number + 2 * len(sets)
    rows: list[np.ndarray] = []
    limits: list[tuple[float, float]] = []

    def add(coefficients: dict[int, float], low: float, high: float) -> None:
        row = np.zeros(size)
        for at, value in coefficients.items():
            row[at] = value
        rows.append(row)
        limits.append((low, high))

    for at in range(number):
        add({at: 1, number + at: -1}, -np.inf, wanted[at])
        add({at: 1, number + at: 1}, wanted[at], np.inf)
    for balance in component.balances:
        parts = [
            {at: float(times) for at, bucket in enumerate(buckets) if (times := bucket.times(balance, part))}
            for part in range(len(structure.balances[balance].parts))
            if (balance, part) not in empty
        ]
        for part in parts[1:]:
            add({at: parts[0].get(at, 0.0) - part.get(at, 0.0) for at in {*parts[0], *part}}, 0, 0)
        add(parts[0], 1, np.inf)
    for at, one in enumerate(sets):
        mine = {index: 1.0 for index, bucket in enumerate(buckets) if bucket.set == one}
        whole = int(structure.classes_of_set[one].size)
        add({**mine, 2 * number + at: -multiple, 2 * number + len(sets) + at: -(whole % multiple)}, 0, 0)
        add({**mine, 2 * number + len(sets) + at: -whole}, 0, np.inf)
        add(mine, 1, np.inf)
    high = np.concatenate([component.sizes, np.full(number, np.inf), np.full(len(sets), np.inf), np.ones(len(sets))])
    low = np.concatenate([least, np.zeros(number + 2 * len(sets))])
    for at, bucket in enumerate(buckets):
        if any(part in empty for part in bucket.parts):
            low[at] = high[at] = 0
        elif not structure.is_free(bucket.set):
            low[at] = high[at]
    cost = np.concatenate([np.zeros(number), np.ones(number), np.zeros(2 * len(sets))])
    result = milp(
        cost,
        integrality=np.concatenate([np.ones(number), np.zeros(number), np.ones(2 * len(sets))]),
        bounds=Bounds(low, high),
        constraints=LinearConstraint(np.array(rows), *np.array(limits).T),
        options={"time_limit": 20.0},
    )
    return None if result.x is None else np.round(result.x[:number]).astype(int)
