"""What half an hour of work does to a model's latency: one point per minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfkit.bench import statistics
from tfkit.bench.gate.cores import mean_speed
from tfkit.devices.conditions import Conditions


def curve(processes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """JSON-ready: ``minutes`` in order, and ``slow_down``, the last minute's median over the first's.

    A minute has ``median_s``, ``p90_s`` (None below 64 runs), ``samples``; ``celsius``, ``thermal_status``, ``battery``
    (percent) after it and ``frequency`` (mean over the highest), None where the device does not tell.
    """
    minutes = [_minute(process) for process in processes if process["measurement"]["run_ns"]]
    medians = [minute["median_s"] for minute in minutes]
    return {"minutes": minutes, "slow_down": medians[-1] / medians[0] if medians and medians[0] > 0 else None}


def _minute(process: Mapping[str, Any]) -> dict[str, Any]:
    samples = process["measurement"]["run_ns"]
    enough = len(samples) >= statistics.MINIMUM_SAMPLES[0.9]
    host = process.get("host") or {}
    after = Conditions.from_json(host["after"]) if host.get("after") else None
    inside = process.get("conditions") or {}
    return {
        "started": host.get("started"),
        "samples": len(samples),
        "median_s": statistics.median(samples) * 1e-9,
        "p90_s": statistics.percentile(samples, 0.9) * 1e-9 if enough else None,
        "celsius": after.thermal.skin if after else None,
        "thermal_status": after.thermal.status if after else None,
        "battery": after.battery.percent if after and after.battery else None,
        "frequency": mean_speed(process, inside.get("before") or {}, inside.get("after") or {}),
    }
