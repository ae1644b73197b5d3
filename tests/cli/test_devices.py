"""``tfkit devices``, ``devices doctor`` and ``devices simulate``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tfkit._errors import DeviceError, UsageError
from tfkit.cli import cli
from tfkit.devices import connect
from tfkit.devices.simulated import Phone, commands

pytest_plugins = ["tfkit.devices.simulated.pytest"]
pytestmark = pytest.mark.qemu


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["devices", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def findings(spec: str) -> dict[str, dict[str, str]]:
    document = json.loads(invoke("doctor", spec, "--json"))
    assert document["schema_version"] == 1
    return {point["name"]: point for point in document["findings"]}


def test_the_list_names_what_can_be_used(simulated_phone: Phone) -> None:
    connect(simulated_phone.spec).close()
    listed = json.loads(invoke("--json"))
    entries = {entry["spec"]: entry for entry in listed["devices"]}
    assert listed["schema_version"] == 1
    assert {"local", "qemu:cortex-a53", simulated_phone.spec, "ssh:[user@]host[:port]"} <= set(entries)
    assert entries[simulated_phone.spec]["what"] == "Simulated phone"
    assert entries[simulated_phone.spec]["advice"] is None
    assert simulated_phone.spec in invoke()


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    text = invoke()
    assert "not ready: adb is not installed; run: apt-get install -y adb" in text
    assert "not ready: qemu-aarch64 is not installed" in text


def test_a_phone_in_good_order(simulated_phone: Phone) -> None:
    found = findings(simulated_phone.spec)
    assert "Android API level 33" in found["programs"]["found"]
    assert "glibc bundle" in found["programs"]["action"]
    big = ",".join(map(str, simulated_phone.clusters[-1].cpus))
    assert big in found["cores"]["found"]
    assert found["instructions"]["found"] == "dotprod, fp16, LSE"
    assert (found["governor"]["found"], found["governor"]["status"]) == ("schedutil", "note")
    assert {found[name]["status"] for name in ("programs", "heat", "power", "room", "load")} == {"ok"}
    assert "says nothing" in found["clock"]["action"]
    assert not simulated_phone.pushed


def test_a_phone_in_bad_order(simulated_phone: Phone) -> None:
    simulated_phone.set_thermal(status=3)
    simulated_phone.set_battery(charging=True, percent=9)
    simulated_phone.set_load(6.0)
    simulated_phone.faults.free_bytes = 1 << 20
    found = findings(simulated_phone.spec)
    assert (found["heat"]["status"], found["heat"]["found"]) == ("bad", "Android says severe, CPU0 40 C")
    assert found["power"]["action"] == "energy is not measured while charging"
    assert (found["room"]["status"], found["room"]["found"]) == ("bad", "1 MiB free")
    assert found["load"]["status"] == "note"
    text = invoke("doctor", simulated_phone.spec)
    assert "bad  heat" in text
    assert "a run waits until it has cooled down" in text


def test_a_governor_that_may_be_set(private_adb: dict[str, str]) -> None:
    with Phone(rooted=True) as phone:
        assert "may be set" in findings(phone.spec)["governor"]["action"]


def test_a_device_that_cannot_run_anything(simulated_phone: Phone) -> None:
    commands.install_uname(simulated_phone.root, "armv7l", "4.14.0")
    point = findings(simulated_phone.spec)["programs"]
    assert point["status"] == "bad"
    assert "32-bit" in point["action"]


def test_local_and_emulated() -> None:
    assert findings("local")["programs"]["status"] == "ok"
    assert "no time is reported" in findings("qemu:cortex-a53")["clock"]["action"]


def test_simulate_serves_until_it_is_ended(private_adb: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tfkit", "devices", "simulate", "--android", "29", "--thermal-status", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        spec = line.split("--device ")[1].split()[0]
        with connect(spec) as device:
            assert device.userland().api_level == 29
            assert "Status: 2" in device.run(["dumpsys", "thermalservice"], timeout=30).stdout
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    with pytest.raises(DeviceError, match=f"cannot reach {spec.removeprefix('adb:')}|went away|offline"):
        connect(spec)


def test_wrong_settings() -> None:
    with pytest.raises(UsageError, match="thermal status goes from 0 to 6; got 7"):
        CliRunner().invoke(cli, ["devices", "simulate", "--thermal-status", "7"], catch_exceptions=False)
