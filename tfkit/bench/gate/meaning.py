"""Whether the numbers mean what they seem to mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tfkit.bench.gate.evidence import Evidence
from tfkit.bench.gate.reason import Reason, invalid, suspect


def times_hardware(device: Mapping[str, Any]) -> bool:
    """Whether the clock of a report's ``device`` times hardware."""
    return bool(device["times_meaningful"]) and not device["simulated"]


def golden(evidence: Evidence) -> Iterator[Reason]:
    """A wrong result has no latency."""
    if evidence.golden["ok"] is False:
        yield invalid("golden", evidence.golden["summary"])


def no_hardware(evidence: Evidence) -> Iterator[Reason]:
    """Emulated and simulated devices have a clock, but it times the host."""
    if times_hardware(evidence.device):
        return
    what = "a simulated" if evidence.device["simulated"] else "an emulated"
    yield invalid("no_hardware", f"{what} device's times say nothing about hardware; only its answers are checked")


def other_mode(evidence: Evidence) -> Iterator[Reason]:
    """A profiled run is no latency: the profiler costs microseconds per op."""
    modes = {process.get("mode", "latency") for process in evidence.measured} - {"latency"}
    if modes:
        yield invalid("mode", f"measured in a process that also did {', '.join(sorted(modes))}; measure latency alone")


def foreign(evidence: Evidence) -> Iterator[Reason]:
    """Another tool's binary checks nothing and reports less."""
    names = {process["runner"] for process in evidence.processes if process.get("runner")}
    if names:
        yield suspect(
            "foreign_runner",
            f"{', '.join(sorted(names))} neither compares outputs nor records cores and heat; use tfkit's own runner",
        )


def clock(evidence: Evidence) -> Iterator[Reason]:
    """A clock that ran backwards may as well have jumped forwards."""
    steps = sum(process["measurement"].get("backward_steps") or 0 for process in evidence.measured)
    impossible = sum(sum(ns <= 0 for ns in process["measurement"]["run_ns"]) for process in evidence.measured)
    if steps or impossible:
        yield invalid(
            "clock", f"the device's clock went backwards ({steps + impossible} times); measure after a reboot"
        )


def weak_golden(evidence: Evidence) -> Iterator[Reason]:
    """A tolerance that lets everything through proves nothing."""
    if evidence.weak_golden is not None:
        yield suspect(
            "weak_golden",
            f"rounding alone may move this model's output by {evidence.weak_golden:.0%}, so the golden check is weak "
            "here; check accuracy on real data",
        )


def repeatable(evidence: Evidence) -> Iterator[Reason]:
    """The same input must give the same output in the last run as in the first."""
    if any(process["measurement"].get("repeatable") is False for process in evidence.measured):
        yield suspect("repeatable", "the same input gave another output in a later run of the same process")
