from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tfkit import doctor
from tfkit.cli import cli
from tfkit.devices import qemu


def test_every_package_of_the_tested_set_is_listed() -> None:
    found = {finding.name: finding for finding in doctor.examine()}
    assert {"tensorflow", "tf_keras", "larq", "larq-compute-engine", "ai-edge-litert", "tflite-runtime"} <= set(found)
    assert all(finding.fix for finding in found.values() if finding.status == "missing")


def test_what_is_missing_costs_something_and_has_a_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(qemu, "SYSROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {finding.name: finding for finding in doctor.examine()}
    for name in (qemu.PROGRAMS[0], "Arm C library"):
        assert (found[name].status, found[name].fix) == ("missing", qemu.INSTALL)
        assert "qemu" in found[name].costs


def test_any_qemu_that_the_device_takes_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / qemu.PROGRAMS[1]
    other.write_text("#!/bin/sh\necho qemu version 9\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {finding.name: finding for finding in doctor.examine()}
    assert (found[other.name].status, found[other.name].found) == ("ok", "qemu version 9")


def test_json_says_the_same() -> None:
    document = json.loads(CliRunner().invoke(cli, ["doctor", "--json"]).stdout)
    assert document["schema_version"] == 1
    assert [finding["name"] for finding in document["findings"]] == [finding.name for finding in doctor.examine()]
