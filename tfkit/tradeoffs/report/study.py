"""All that the page, the CSV file and the figures tell: points, their averages, and what each device says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfkit.tradeoffs.pareto import front
from tfkit.tradeoffs.points import Point, read_points
from tfkit.tradeoffs.report import artifacts
from tfkit.tradeoffs.report.averages import Average, averages
from tfkit.tradeoffs.report.baselines import Comparison, compare, warning
from tfkit.tradeoffs.report.families import Family, family
from tfkit.tradeoffs.report.sound import sound


@dataclass(frozen=True)
class Device:
    """One device with the averages measured on it.

    ``front`` holds the keys of the means that no other trusted one beats in accuracy and cost; of all of them where
    none is trusted, which ``remarks`` then say.
    """

    name: str
    emulated: bool
    averages: tuple[Average, ...]
    front: frozenset[str]
    comparisons: tuple[Comparison, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """A sweep, read: ``series`` in order of appearance, ``families`` by the key of a mean."""

    title: str
    points: tuple[Point, ...]
    averages: tuple[Average, ...]
    series: tuple[str, ...]
    families: Mapping[str, Family]
    devices: tuple[Device, ...]

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Study:
        """The sweep in ``folder``, finished or not.

        Raises:
            SweepError: there is none, or it is damaged.
        """
        return cls.of(Path(os.path.realpath(folder)).name, read_points(folder))

    @classmethod
    def of(cls, title: str, points: Sequence[Point]) -> Study:
        """From points, which name their own artifacts."""
        points = tuple(map(sound, points))
        found = averages(points)
        families = {
            one.mean.key: family(one.mean.series, artifacts.read(one.mean.artifacts.get("ledger"))) for one in found
        }
        names = dict.fromkeys(one.mean.device for one in found)
        devices = tuple(_device(name, [one for one in found if one.mean.device == name], families) for name in names)
        series = tuple(dict.fromkeys(one.mean.series for one in found))
        return cls(title, points, found, series, families, devices)

    def in_state(self, state: str) -> tuple[Point, ...]:
        """Points that are ``done``, ``failed`` or ``waiting``."""
        return tuple(point for point in self.points if point.state == state)

    @property
    def summary(self) -> str:
        """One line."""
        parts = [
            _counted(len(self.in_state("done")), "point"),
            f"{len(self.series)} series",
            _counted(len(self.devices), "device"),
        ]
        parts += [f"{len(found)} {state}" for state in ("failed", "waiting") if (found := self.in_state(state))]
        return ", ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _device(name: str, found: Sequence[Average], families: Mapping[str, Family]) -> Device:
    emulated = any(one.emulated for one in found)
    trusted = [one.mean for one in found if one.mean.trusted is not False]
    best = front(trusted or [one.mean for one in found], "instructions" if emulated else "latency_ms", "accuracy")
    comparisons = compare(found, families)
    remarks = [warning(name, comparisons, any(families[one.mean.key] == "int8" for one in found))]
    if unplaced := sum(one.cost is None or one.mean.accuracy is None for one in found):
        what = "instruction count" if emulated else "latency"
        remarks.append(f"{name}: {unplaced} points have no accuracy or no {what}; they are in the table only.")
    if found and not trusted:
        remarks.append(
            f"{name}: no measurement is trusted, so the Pareto front and the int8 baselines are untrusted ones."
        )
    return Device(
        name=name,
        emulated=emulated,
        averages=tuple(found),
        front=frozenset(point.key for point in best),
        comparisons=comparisons,
        remarks=tuple(remark for remark in remarks if remark),
    )
