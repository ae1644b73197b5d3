"""How long steps take and how much they leave: as they did here before, else a documented guess."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tfkit.tradeoffs.sweep.state import DONE, Record
from tfkit.tradeoffs.sweep.steps import BENCH, CONVERT, PRUNE, TRAIN, TUNE, VERIFY, Step

RECORDED, GUESSED = "recorded", "guessed"
# The guess. A training step costs three passes (forward, and backward by weights and by inputs) of two operations a
# MAC; a core of a desktop makes some 20 GFLOP/s of it in TensorFlow, much less for small layers. The rest are seconds
# that a small network takes: tracing and converting, comparing every layer, starting processes.
_FLOPS = 5e9
_IMAGES = 50_000  # of an epoch, where nothing is known of the data
_SECONDS = {TRAIN: 15.0, PRUNE: 25.0, TUNE: 20.0, CONVERT: 10.0, VERIFY: 10.0}
_BENCH_SECONDS = {"quick": 5.0, "standard": 45.0, "publish": 1200.0}
_EMULATED_SECONDS = 10.0
_PER_MAC = 2e-8  # of an emulated core
_BYTES = {TRAIN: 4.4, PRUNE: 4.4, TUNE: 9.0, CONVERT: 4.0}  # per weight


class Estimates:
    """Knows the durations and sizes of steps that were carried out in this folder."""

    def __init__(self, records: Iterable[Record], images: int = _IMAGES) -> None:
        self._images = images
        self._seconds: dict[tuple[Any, ...], list[float]] = defaultdict(list)
        self._bytes: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for record in records:
            self.learn(record)

    def learn(self, record: Record) -> None:
        """One more step was carried out."""
        if record.state == DONE:
            self._seconds[_likeness(record.kind, record.cost)].append(record.seconds)
            self._bytes[_likeness(record.kind, record.cost)].append(record.bytes)

    def seconds(self, step: Step) -> tuple[float, str]:
        """(duration, ``RECORDED`` or ``GUESSED``): the median of those that did the same to the same model."""
        similar = self._seconds.get(_likeness(step.kind, step.cost))
        if similar:
            return statistics.median(similar), RECORDED
        cost = step.cost
        if step.kind == BENCH:
            if cost["emulated"]:
                return _EMULATED_SECONDS + cost["macs"] * _PER_MAC, GUESSED
            return _BENCH_SECONDS[cost["preset"]], GUESSED
        arithmetic = 6 * cost["macs"] * self._images * cost.get("epochs", 0) / _FLOPS
        return _SECONDS[step.kind] + arithmetic, GUESSED

    def bytes(self, step: Step) -> tuple[float, str]:
        """(size of what it leaves, ``RECORDED`` or ``GUESSED``)."""
        similar = self._bytes.get(_likeness(step.kind, step.cost))
        if similar:
            return statistics.median(similar), RECORDED
        return 50_000 + step.cost["parameters"] * _BYTES.get(step.kind, 0.0), GUESSED


def _likeness(kind: str, cost: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two steps similar: kind, network and budget, not seed or method."""
    return (kind, *sorted((name, str(value)) for name, value in cost.items()))
