"""Everything that the rules look at, with the questions that several of them ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfkit.bench.result import Latency
from tfkit.bench.spec import Preset
from tfkit.devices.conditions import Conditions


@dataclass(frozen=True)
class Evidence:
    """One model with one number of threads: its processes so far, on a described device.

    ``device`` has ``times_meaningful``, ``label`` and ``properties``; ``weak_golden`` is the relative tolerance where
    it is so wide that the check proves little.
    """

    device: Mapping[str, Any]
    preset: Preset
    threads: int
    processes: Sequence[Mapping[str, Any]]
    golden: Mapping[str, Any]
    latency: Latency | None
    weak_golden: float | None = None

    @property
    def measured(self) -> list[Mapping[str, Any]]:
        """The processes that have a measurement."""
        return [process for process in self.processes if process.get("measurement")]

    def share(self, found: Sequence[object]) -> str:
        """``"2 of 5 processes"``."""
        return f"{len(found)} of {len(self.measured)} processes"

    def inside(self) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]]:
        """(process, its own conditions before, after), of those processes that have both."""
        for process in self.measured:
            conditions = process.get("conditions") or {}
            if conditions.get("before") and conditions.get("after"):
                yield process, conditions["before"], conditions["after"]

    def around(self) -> Iterator[tuple[Mapping[str, Any], Conditions, Conditions]]:
        """(what the host noted, conditions before, after) of those processes that have them."""
        for process in self.measured:
            host = process.get("host") or {}
            if host.get("before") and host.get("after"):
                yield host, Conditions.from_json(host["before"]), Conditions.from_json(host["after"])
