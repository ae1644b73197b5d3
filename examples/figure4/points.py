"""The lines of the figure, from records of runs: every seed of a network is one point."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from figure4.grid import SERIES


@dataclass(frozen=True)
class Point:
    """One network: the test errors of its seeds in percent, and what it costs, means over them."""

    series: str
    share: float
    errors: tuple[float, ...]
    costs: Mapping[str, float]

    @property
    def error(self) -> float:
        return statistics.fmean(self.errors)


Lines = dict[str, list[Point]]


def lines(runs: Iterable[Mapping[str, Any]], costs: Sequence[str]) -> Lines:
    """Series -> its points, the unpruned network first, then from large to small; those of it alone are left out."""
    found: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for one in runs:
        found.setdefault((one["series"], one["share"]), []).append(one)
    points = {key: _point(*key, records, costs) for key, records in found.items()}
    shares = sorted({share for _, share in found if share < 1}, reverse=True)
    result = {}
    for series in SERIES:
        keys = [(series.architecture, 1.0), *((series.name, share) for share in shares)]
        result[series.name] = [points[key] for key in keys if key in points]
    return {name: known for name, known in result.items() if len(known) > 1}


def _point(series: str, share: float, records: Sequence[Mapping[str, Any]], costs: Sequence[str]) -> Point:
    means = {cost: statistics.fmean(one[cost] for one in records) for cost in costs}
    return Point(series, share, tuple(one["error"] for one in records), means)
