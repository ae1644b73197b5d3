"""The whole road to a phone: real adb, real bundle, real Arm runner under qemu; only the hardware is scripted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.flatbuffers import golden
from tfkit import bench
from tfkit._errors import DeviceError, UnsupportedError
from tfkit.bench.spec import PRESETS, Preset
from tfkit.devices.simulated.phone import Phone

pytest_plugins = ["tfkit.devices.simulated.pytest"]
pytestmark = pytest.mark.qemu

SHORT = Preset("short", 1, 0.0, 0.0, 3, 0.0, 3, 5.0, processes=2, cool_seconds=300.0)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS._entries, "short", SHORT)


def test_every_step_is_real_and_no_time_is_shown(simulated_phone: Phone, tmp_path: Path) -> None:
    simulated_phone.set_load(0.5)
    file = tmp_path / "r.json"
    report = bench.run(golden("lce_float32"), simulated_phone.spec, preset="short", memory=True, json_path=file)
    report.check()
    document = json.loads(file.read_text())
    assert document["device"]["simulated"] is True
    (result,) = document["results"]
    assert (result["gate"]["level"], result["latency"]) == ("invalid", None)
    assert "no_hardware" in [reason["code"] for reason in result["gate"]["reasons"]]
    assert [len(one["measurement"]["run_ns"]) for one in result["processes"]] == [3, 3]
    assert result["memory"]["stages"]
    before = result["processes"][0]["host"]["before"]
    assert before["load"] == 0.5
    assert before["thermal"]["status"] == 0
    assert before["battery"]["status"] in ("Discharging", "Charging")
    table = bench.as_table(report)
    assert "simulated: every step is real except the hardware" in table
    assert " ms" not in table
    assert " us" not in table


def test_a_hot_phone_is_waited_for(simulated_phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfkit.bench.cooling.POLL_SECONDS", 0.1)
    simulated_phone.set_thermal(statuses=[2, 1, 0])
    lines: list[str] = []
    report = bench.run(golden("int8"), simulated_phone.spec, preset="short", progress=lines.append)
    assert "waiting up to 300 s for the device to cool: thermal status moderate" in lines
    first = report.results[0].processes[0]["host"]
    assert first["cooling"]["cool"] is True
    assert first["before"]["thermal"]["status"] == 0


def test_energy_is_refused_on_a_phone_that_charges(simulated_phone: Phone, tmp_path: Path) -> None:
    simulated_phone.set_battery(charging=True)
    file = tmp_path / "r.json"
    with pytest.raises(UnsupportedError, match=r"is charging \(Charging\).*unplug it"):
        bench.run(golden("int8"), simulated_phone.spec, preset="short", energy=True, json_path=file)
    (result,) = json.loads(file.read_text())["results"]
    assert len(result["processes"]) == 2  # what was measured before that is kept
    assert "charging" in [reason["code"] for reason in result["gate"]["reasons"]]


def test_a_link_lost_in_the_middle_is_continued(simulated_phone: Phone, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    arguments: dict[str, Any] = {"preset": "short", "json_path": file}
    seen = 0

    def cut(line: str) -> None:
        nonlocal seen
        seen += 1
        if line.startswith("[2/2]"):
            simulated_phone.faults.drop_command = "tfkit_bench"
            simulated_phone.faults.drop_after = 0.0

    with pytest.raises(DeviceError, match="--resume continues"):
        bench.run(golden("int8"), simulated_phone.spec, progress=cut, **arguments)
    assert len(json.loads(file.read_text())["results"][0]["processes"]) == 1
    report = bench.run(golden("int8"), simulated_phone.spec, resume=True, **arguments)
    assert len(report.results[0].processes) == 2
