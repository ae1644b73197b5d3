"""Which process comes when: interleaved, in a seeded random order, without those that are done."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfkit.bench.spec import Preset

# Twice this is what ``tfkit compare`` then asks of a difference: half of the 10 % that users want to see.
STEADY = 0.025

Key = tuple[int, int]


def plan(models: int, threads: Sequence[int], preset: Preset, seed: int) -> list[Key]:
    """(model, threads) of each process; each round has all of them, so that drift of the device hits all alike."""
    order = random.Random(seed)
    found = []
    rounds = preset.processes * preset.days
    for _ in range(rounds):
        turn = [(model, count) for model in range(models) for count in threads]
        if rounds > 1:
            order.shuffle(turn)
        found += turn
    return found


def scatters(variation: float | None, processes: int, preset: Preset) -> bool:
    """Whether one more process is due: the medians of ``processes`` so far vary too much, and the preset has more.

    The rule looks at the variation within one model's measurement only, never at what it is compared with, so it
    favours no verdict.
    """
    most = preset.processes * preset.days + preset.extra_processes
    return variation is not None and variation > STEADY and processes < most


def remaining(
    whole: Sequence[Key], done: Mapping[Key, Sequence[Mapping[str, Any]]], preset: Preset, today: str
) -> Iterator[Key]:
    """What is left of the plan, as far as it belongs to ``today`` (an ISO date, UTC)."""
    skip = Counter({key: len(processes) for key, processes in done.items()})
    room = Counter(dict.fromkeys(whole, preset.processes if preset.days > 1 else len(whole)))
    if preset.days > 1:
        for key, processes in done.items():
            room[key] -= sum(process["host"]["started"].startswith(today) for process in processes)
    for key in whole:
        if skip[key] > 0:
            skip[key] -= 1
        elif room[key] > 0:
            room[key] -= 1
            yield key
