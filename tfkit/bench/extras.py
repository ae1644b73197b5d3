"""What is measured besides latency, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tfkit._errors import DeviceError
from tfkit.bench import energy, sustained
from tfkit.bench.measure import Bench
from tfkit.bench.result import Result
from tfkit.bench.subject import Subject

Extra = Callable[[Bench, Subject, int, Result], Mapping[str, Any]]


def _memory(bench: Bench, subject: Subject, threads: int, result: Result) -> Mapping[str, Any]:
    """The runner's stages, and what the delegate plans for."""
    document = bench.once(subject, threads, ("--mode", "memory"))
    if not document.get("memory"):
        raise DeviceError(f"{subject.path} on {bench.device.name}: the runner answered without memory figures")
    delegate = document.get("delegate")
    return {**document["memory"], "delegate": delegate.get("memory") if isinstance(delegate, dict) else None}


def _profile(bench: Bench, subject: Subject, threads: int, result: Result) -> Mapping[str, Any]:
    """The runner's events, mapped to the model's layers."""
    from tfkit.bench.profile import attribute

    document = bench.once(subject, threads, ("--mode", "profile"))
    return dict(attribute(document, subject.file.data).to_json())


_EXTRAS: Mapping[str, Extra] = {
    "memory": _memory,
    "profile": _profile,
    "energy": energy.measure,
    "sustained": lambda bench, subject, threads, result: sustained.curve(result.processes),
}
NAMES = tuple(_EXTRAS)


def measure(name: str, bench: Bench, subject: Subject, threads: int, result: Result) -> Mapping[str, Any]:
    """One of ``NAMES`` for one model, JSON-ready.

    Raises:
        DeviceError: the device does not answer, or cannot tell.
        UnsupportedError: the device charges, so that no counter tells what it consumes.
    """
    return _EXTRAS[name](bench, subject, threads, result)
