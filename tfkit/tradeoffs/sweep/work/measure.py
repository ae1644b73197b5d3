"""The step that measures: on the host that owns the devices, while nothing else runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfkit import bench
from tfkit._errors import DataError, MissingToolError, TfkitError, UsageError
from tfkit.bench import Report, Result
from tfkit.tradeoffs.sweep.instructions import instructions
from tfkit.tradeoffs.sweep.steps import Outcome


def measure(settings: Mapping[str, Any], flatbuffer: Path, scratch: Path) -> Outcome:
    """Measure one flatbuffer on one device; goes on with an interrupted measurement. Raises nothing but Ctrl-C."""
    started = time.perf_counter()
    try:
        outcome = _measured(settings, flatbuffer, scratch / "bench.json")
    except TfkitError as error:
        outcome = Outcome(reason=str(error))
    except Exception as error:
        outcome = Outcome(reason=f"{type(error).__name__}: {error}")
    return replace(outcome, seconds=time.perf_counter() - started)


def _measured(settings: Mapping[str, Any], flatbuffer: Path, document: Path) -> Outcome:
    try:
        report = _run(settings, flatbuffer, document, resume=document.exists())
    except (DataError, UsageError):
        if not document.exists():
            raise
        document.unlink()  # of another tfkit or another device; a whole measurement is worth more than half of one
        report = _run(settings, flatbuffer, document, resume=False)
    (result,) = report.results
    if not result.ok:
        return Outcome(reason=f"wrong result: {result.golden['summary']}")
    figures = _figures(result)
    kind, _, which = settings["device"].partition(":")
    if kind == "qemu":
        figures |= _counted(flatbuffer, which)
    return Outcome(figures, {"bench": (".json", document.read_bytes())})


def _run(settings: Mapping[str, Any], flatbuffer: Path, document: Path, resume: bool) -> Report:
    return bench.run(
        flatbuffer,
        device=settings["device"],
        threads=(settings["threads"],),
        preset=settings["preset"],
        memory=settings["memory"],
        profile=settings["profile"],
        json_path=document,
        resume=resume,
    )


def _figures(result: Result) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    latency = result.latency
    if latency is not None:
        figures["latency_ms"] = latency.median_s * 1e3
        figures["trusted"] = result.gate["level"] == "trusted"
        if latency.interval_s is not None:
            figures["latency_interval_ms"] = [bound * 1e3 for bound in latency.interval_s]
    peaks = [stage["vm_hwm"] for stage in (result.memory or {}).get("stages", []) if stage.get("vm_hwm")]
    if peaks:
        figures["peak_memory_bytes"] = max(peaks)
    return figures


def _counted(flatbuffer: Path, cpu: str) -> dict[str, Any]:
    """Instructions of one inference; without a compiler or such a qemu the point is still right, and says why not."""
    try:
        return {"instructions": instructions(flatbuffer, cpu)}
    except MissingToolError as error:
        return {"no_instructions": str(error)}
