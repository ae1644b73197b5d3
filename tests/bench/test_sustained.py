"""The curve of a sustained run."""

from __future__ import annotations

from dataclasses import replace

from helpers.bench_documents import COOL, process
from tfkit.bench import spec
from tfkit.bench.sustained import curve
from tfkit.devices.conditions import Thermal


def test_a_minute_is_a_process() -> None:
    preset = spec.sustained(30)
    assert (preset.processes, preset.min_seconds, preset.cool_seconds, preset.days) == (30, 60.0, 0.0, 1)
    assert "--min-seconds=60.0" in preset.flags()


def test_the_curve() -> None:
    cool, hot = process([1_000_000] * 64), process([1_500_000] * 10)
    hot["host"]["after"] = replace(COOL, thermal=Thermal(2, {"skin:s": 43.0})).to_json()
    found = curve([cool, hot])
    assert found["slow_down"] == 1.5
    first, second = found["minutes"]
    assert (first["median_s"], first["p90_s"], first["celsius"], first["battery"]) == (0.001, 0.001, 30.0, 80)
    assert (second["p90_s"], second["celsius"], second["thermal_status"], second["samples"]) == (None, 43.0, 2, 10)
    assert first["frequency"] == 1.0


def test_a_device_that_tells_nothing() -> None:
    silent = process()
    silent["host"].update(after=None)
    silent["conditions"] = None
    (minute,) = curve([silent])["minutes"]
    assert (minute["celsius"], minute["frequency"], minute["battery"]) == (None, None, None)
    empty = process([])
    assert curve([empty]) == {"minutes": [], "slow_down": None}
