"""Points that differ in nothing but the seed, as one: means, and how far the seeds lie apart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from tfkit.tradeoffs.points import Interval, Point


@dataclass(frozen=True)
class Average:
    """All finished seeds of one (series, model, settings, device).

    Attributes:
        mean: a point with the means of the seeds' figures; its key is the first seed's.
        seeds: the points themselves, by seed.
        accuracy_range: the lowest and the highest seed; None for fewer than two.
        cost_range: of latency (ms) or instructions: from the lowest to the highest of the seeds, and for latency of
            their 95 % intervals; None where neither is known.
        label: what tells it from the others of its series: "width=0.5"; empty when nothing does.
    """

    mean: Point
    seeds: tuple[Point, ...]
    accuracy_range: Interval | None
    cost_range: Interval | None
    label: str = ""

    @property
    def emulated(self) -> bool:
        """Whether what it costs is told in instructions."""
        counted = self.mean.instructions is not None or self.mean.device.startswith("qemu:")
        return self.mean.latency_ms is None and counted

    @property
    def cost(self) -> float | None:
        """Milliseconds, on emulated devices instructions."""
        return self.mean.instructions if self.emulated else self.mean.latency_ms

    @property
    def variant(self) -> str:
        """Model, and what tells it from the others of its series."""
        return ", ".join(part for part in (self.mean.model, self.label) if part)

    @property
    def name(self) -> str:
        """Series and variant."""
        return f"{self.mean.series}, {self.variant}"


def averages(points: Iterable[Point]) -> tuple[Average, ...]:
    """In the order in which each first appears; failed and waiting points are left out."""
    groups: dict[tuple[str, str, str, str], list[Point]] = {}
    for point in points:
        if point.state == "done":
            key = (point.series, point.model, json.dumps(point.settings, sort_keys=True, default=str), point.device)
            groups.setdefault(key, []).append(point)
    found = [_average(sorted(group, key=lambda point: point.seed)) for group in groups.values()]
    telling = _telling(found)
    return tuple(replace(one, label=_label(one, telling)) for one in found)


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as one level of texts: ``{"prune.rate": "0.5"}``."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value, default=str)
    return found


def _average(seeds: Sequence[Point]) -> Average:
    figures: dict[str, Any] = {}
    for name in ("accuracy", "keras_accuracy", "latency_ms"):
        values = _known(seeds, name)
        figures[name] = fmean(values) if values else None
    for name in ("instructions", "size_bytes", "peak_memory_bytes", "macs", "parameters"):
        values = _known(seeds, name)
        figures[name] = round(fmean(values)) if values else None
    verdicts = {point.trusted for point in seeds}
    trusted = False if False in verdicts else None if None in verdicts else True
    mean = replace(seeds[0], trusted=trusted, latency_interval=None, **figures)
    return Average(mean, tuple(seeds), _spread(_known(seeds, "accuracy")), _cost_range(seeds))


def _known(seeds: Sequence[Point], name: str) -> list[float]:
    return [value for point in seeds if (value := getattr(point, name)) is not None]


def _spread(values: Sequence[float]) -> Interval | None:
    return Interval(min(values), max(values)) if len(values) > 1 else None


def _cost_range(seeds: Sequence[Point]) -> Interval | None:
    latencies = _known(seeds, "latency_ms")
    if not latencies:
        return _spread(_known(seeds, "instructions"))
    intervals = [point.latency_interval for point in seeds if point.latency_interval is not None]
    ends = [*latencies, *(one.low for one in intervals), *(one.high for one in intervals)]
    return _spread(ends)


def _telling(found: Sequence[Average]) -> Mapping[str, Sequence[str]]:
    """For each series the settings that are not the same in all of it."""
    series: dict[str, list[Mapping[str, str]]] = {}
    for one in found:
        series.setdefault(one.mean.series, []).append(flat(one.mean.settings))
    keys = {name: dict.fromkeys(key for settings in group for key in settings) for name, group in series.items()}
    return {
        name: [key for key in keys[name] if len({settings.get(key) for settings in group}) > 1]
        for name, group in series.items()
    }


def _label(one: Average, telling: Mapping[str, Sequence[str]]) -> str:
    mine = flat(one.mean.settings)
    return ", ".join(f"{key}={mine[key]}" for key in telling[one.mean.series] if key in mine)
