"""How a sweep is going: a line for every finished point and, indented, for every step before; with the time left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tfkit._units import format_bytes, format_count, format_duration, format_seconds
from tfkit.tradeoffs.sweep.estimate import Estimates
from tfkit.tradeoffs.sweep.plan import Planned
from tfkit.tradeoffs.sweep.state import FAILED, Record
from tfkit.tradeoffs.sweep.steps import BENCH, Step

Say = Callable[[str], None]


class Progress:
    """Tells ``say``; ``places`` steps that only compute run at a time."""

    def __init__(self, say: Say, estimates: Estimates, points: int, settled: int, places: int) -> None:
        self._say, self._estimates = say, estimates
        self._points, self._settled, self._places = points, settled, places

    def step(
        self,
        step: Step,
        record: Record,
        settled: Sequence[Planned],
        waiting: Sequence[Step],
        records: Mapping[str, Record],
    ) -> None:
        """``step`` was carried out, ``settled`` are points that it ended, ``waiting`` is what is left."""
        self._estimates.learn(record)
        left = self._left(waiting)
        if record.state != FAILED and not settled:
            self._say(f"  {step.kind} {step.label}: {format_duration(record.seconds)}; {left}")
        for point in settled:
            self._settled += 1
            outcome = f"failed: {record.reason}" if record.state == FAILED else _figures(point, records)
            self._say(f"[{self._settled}/{self._points}] {point.label}: {outcome}; {left}")

    def _left(self, waiting: Sequence[Step]) -> str:
        if not waiting:
            return "nothing left"
        seconds = {BENCH: 0.0, "": 0.0}
        for step in waiting:
            seconds[BENCH if step.kind == BENCH else ""] += self._estimates.seconds(step)[0]
        return f"about {format_duration(seconds[''] / self._places + seconds[BENCH])} left"


def _figures(point: Planned, records: Mapping[str, Record]) -> str:
    figures: dict[str, Any] = {}
    for step in point.steps:
        figures |= records[step.key].figures
    parts = []
    if figures.get("accuracy") is not None:
        parts.append(f"accuracy {figures['accuracy']:.2%}")
    if figures.get("latency_ms") is not None:
        doubt = "" if figures.get("trusted") else " (not trusted)"
        parts.append(format_seconds(figures["latency_ms"] / 1e3) + doubt)
    if figures.get("instructions") is not None:
        parts.append(f"{format_count(figures['instructions'])} instructions")
    if figures.get("size_bytes") is not None:
        parts.append(format_bytes(figures["size_bytes"]))
    return ", ".join(parts) or "done"
