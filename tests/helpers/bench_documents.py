"""Runner documents and whole result files, made up: what a phone might answer, good or bad."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfkit.bench.gate import Evidence
from tfkit.bench.result import Latency
from tfkit.bench.spec import Preset
from tfkit.devices.conditions import Battery, Conditions, Thermal

PRESET = Preset("standard", 10, 1.0, 5.0, 256, 3.0, 10_000, 60.0, processes=5, cool_seconds=300.0)
COOL = Conditions(Thermal(0, {"skin:skin": 30.0}), Battery("Discharging", False, 80, 28.0), 0.2, 8)
PHONE = {
    "name": "adb",
    "platform": "linux-aarch64",
    "label": "glibc bundle",
    "simulated": False,
    "times_meaningful": True,
    "properties": {"kind": "adb"},
}


def policy(residency: Sequence[Sequence[int]]) -> dict[str, Any]:
    return {
        "policy": "policy4",
        "cpus": [4, 5, 6, 7],
        "governor": "schedutil",
        "max_khz": 2_000_000,
        "time_in_state_ms": [list(row) for row in residency],
    }


def inside(canary: int = 20_000_000, residency: Sequence[Sequence[int]] = ((2_000_000, 0),), switches: int = 0) -> Any:
    """The runner's own conditions at one moment."""
    return {
        "canary_ns": [canary + 500_000, canary, canary + 100_000],
        "policies": [policy(residency)],
        "thermal": [],
        "involuntary_switches": switches,
        "major_faults": 0,
    }


def process(run_ns: Sequence[int] = (1_000_000,) * 256, started: str = "2026-01-01T10:00:00+00:00") -> dict[str, Any]:
    """A process in which nothing went wrong, on the big cores of a phone."""
    samples = list(run_ns)
    threads = [{"name": "tfkit_bench", "cpu": 5, "allowed": [4, 5, 6, 7]}]
    clusters = [
        {"cpus": [4, 5, 6, 7], "capacity": 1024, "max_khz": 2_000_000},
        {"cpus": [0, 1, 2, 3], "capacity": 400, "max_khz": 1_400_000},
    ]
    return {
        "schema_version": 2,
        "mode": "latency",
        "threads": 1,
        "outputs": [{"name": "y", "dtype": "float32"}],
        "load_ns": 5_000_000,
        "compile_ns": 9_000_000,
        "first_run_ns": 2_000_000,
        "golden": [
            {
                "ok": True,
                "largest_difference": 0.0,
                "allowed_difference": 0.0,
                "elements_outside": 0,
                "first_outside": -1,
            }
        ],
        "affinity": {
            "asked": "big",
            "cpus": [4, 5, 6, 7],
            "applied": True,
            "error": None,
            "clusters": clusters,
            "threads": threads,
            "main_cpus": [5],
        },
        "measurement": {
            "clock_overhead_ns": 40,
            "backward_steps": 0,
            "warmup": {"runs": 100, "stable": True},
            "run_ns": samples,
            "input_write_ns": [100] * len(samples),
            "output_read_ns": [50] * len(samples),
            "total_ns": sum(samples),
            "repeatable": True,
        },
        "conditions": {
            "before": inside(residency=((1_000_000, 0), (2_000_000, 100))),
            "after": inside(residency=((1_000_000, 0), (2_000_000, 3_100))),
        },
        "host": {
            "started": started,
            "cooling": {"cool": True, "why": None, "waited_s": 0.0},
            "before": COOL.to_json(),
            "after": COOL.to_json(),
            "discarded": [],
        },
    }


def evidence(*processes: dict[str, Any], device: dict[str, Any] | None = None, **changed: Any) -> Evidence:
    """What the gate is shown; five good processes unless told otherwise."""
    shown = list(processes) or [process() for _ in range(5)]
    columns = [p["measurement"]["run_ns"] for p in shown if p["measurement"] and p["measurement"]["run_ns"]]
    latency = Latency.of(columns) if columns else None
    made = Evidence(device or PHONE, PRESET, 1, shown, {"ok": True, "summary": ""}, latency)
    return replace(made, **changed)


def result(name: str, processes: Sequence[dict[str, Any]], threads: int = 1, level: str = "trusted") -> dict[str, Any]:
    """One entry of a result file's ``results``."""
    return {
        "model": {"name": name, "path": name, "sha256": "0" * 64, "inputs_sha256": "1" * 64, "bytes": 2048},
        "threads": threads,
        "golden": {"ok": True, "summary": "", "outputs": []},
        "processes": list(processes),
        "latency": {"median_s": 1e-3},
        "gate": {"level": level, "reasons": []},
    }


def report(*results: dict[str, Any], device: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A whole result file's document."""
    settings = {"preset": PRESET.to_json(), "threads": [1], "seed": 0, "data": None, "kernel": None, "cpus": "big"}
    return {
        "schema_version": 2,
        "ok": True,
        "device": device or PHONE,
        "spec": {**settings, "runner": None, **spec},
        "artifacts": {"runner_sha256": "2" * 64},
        "host": {"python": "3.11", "versions": {"tfkit": "0"}},
        "created": "2026-01-01T10:00:00+00:00",
        "results": list(results),
    }


def written(folder: Path, name: str, document: Any) -> Path:
    """``document`` as a file."""
    path = folder / name
    path.write_text(json.dumps(document))
    return path
