"""Which channels go: those that no reader needs, less those that have to stay for the sake of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tfkit.pruning.shrink.balance import Component, components_of
from tfkit.pruning.shrink.steps import Contracting, Misplaced, Step
from tfkit.pruning.shrink.steps.contracting import Reading
from tfkit.pruning.shrink.structure import Structure


@dataclass
class Plan:
    """What stays, and why of what might have gone.

    Attributes:
        kept: for every class whether it stays.
        held: class -> why it stays although no reader needs it.
        needed: class -> the layer that needs it, and how.
    """

    kept: np.ndarray
    held: dict[int, str] = field(default_factory=dict)
    needed: dict[int, tuple[Step, Reading]] = field(default_factory=dict)


def planned(structure: Structure, dropped: Mapping[str, np.ndarray], multiple_of: int) -> Plan:
    """Find what can go from the weights as they are, and from what a plan takes as zero.

    Args:
        structure: its steps are evaluated and placed.
        dropped: layer -> for each of its output channels whether it is taken as zero.
        multiple_of: what the channels that stay of each set are rounded up to.
    """
    for step in structure.steps.values():
        step.planned = dropped.get(step.name)
        step.evaluate()
    components = components_of(structure)
    held: dict[int, str] = {}
    while True:
        plan = _live(structure, held)
        more = _held_back(structure, components, plan.kept, multiple_of)
        if not more:
            more = _misplaced(structure, plan.kept)
        if not more:
            return plan
        held.update(more)


def placed(structure: Structure, kept: np.ndarray) -> None:
    """Let every call find where its channels are in the shrunk model; raises ``Misplaced``."""
    by_label = kept[structure.classes]
    for step in structure.steps.values():
        step.place(by_label)
    for step in structure.layers:
        if isinstance(step, Contracting):
            step.alive()


def _live(structure: Structure, held: dict[int, str]) -> Plan:
    """Backwards from what stays in any case: what a layer that stays needs, stays too."""
    kept = np.zeros(structure.number, bool)
    kept[[*structure.fixed, *held]] = True
    plan = Plan(kept, dict(held))
    readers = [step for step in reversed(structure.steps.values()) if isinstance(step, Contracting)]
    while True:
        before = int(kept.sum())
        for step in readers:
            reading = step.reading(kept[structure.made(step)].ravel())
            classes = structure.read(step).ravel()
            for at in np.flatnonzero((reading != Reading.FREE) & ~kept[classes]):
                plan.needed.setdefault(int(classes[at]), (step, Reading(reading[at])))
            kept[classes[reading != Reading.FREE]] = True
        if int(kept.sum()) == before:
            return plan


def _held_back(structure: Structure, components: list[Component], kept: np.ndarray, multiple_of: int) -> dict[int, str]:
    """Channels that would go but stay to fill multiples and to keep parts equal, each with the reason."""
    found: dict[int, str] = {}
    for component in components:
        least = np.array([int(kept[bucket.classes].sum()) for bucket in component.buckets])
        counts = component.counts(least, least, multiple_of, _empty_groups(component, kept))
        for bucket, count in zip(component.buckets, counts, strict=True):
            spare = bucket.classes[~kept[bucket.classes]][: count - int(kept[bucket.classes].sum())]
            found.update(dict.fromkeys(map(int, spare), _reason(component, int(least.sum()), multiple_of)))
    return found


def _reason(component: Component, least: int, multiple_of: int) -> str:
    if component.balances:
        return f"groups and channel shuffles keep equally many channels in every part ({component.layers})"
    if least == 0 and multiple_of == 1:
        return "a layer keeps at least one channel"
    return f"the number of channels is rounded up to a multiple of {multiple_of}"


def _empty_groups(component: Component, kept: np.ndarray) -> frozenset[tuple[int, int]]:
    """Parts of groups that lose all inputs and all outputs; none where a layer would lose all of its groups."""
    structure = component.structure
    by_layer: dict[str, list[int]] = {}
    for number in component.balances:
        if structure.balances[number].groups is not None:
            by_layer.setdefault(structure.balances[number].layer, []).append(number)
    found: set[tuple[int, int]] = set()
    for numbers in by_layer.values():
        sides = [structure.balances[number].parts for number in numbers]
        dead = [
            group
            for group, parts in enumerate(zip(*sides, strict=True))
            if not any(kept[structure.classes[part]].any() for part in parts)
        ]
        if len(dead) < len(sides[0]):
            found |= {(number, group) for number in numbers for group in dead}
    return frozenset(found)


def _misplaced(structure: Structure, kept: np.ndarray) -> dict[int, str]:
    """Where a call could not be laid out with what is left, its channels that would go, with the reason."""
    try:
        placed(structure, kept)
    except Misplaced as error:
        step = error.step
        labels = np.concatenate([flow.labels.ravel() for flow in [step.flow, *(given.flow for given in step.inputs)]])
        classes = np.unique(structure.classes[labels])
        reason = f"{step.label} {error.reason}"
        found = {int(one): reason for one in classes if not kept[one]}
        if not found:
            raise
        return found
    return {}
