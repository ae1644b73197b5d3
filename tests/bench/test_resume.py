"""A measurement that was cut off is continued, and only that one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.flatbuffers import golden
from tfkit import bench
from tfkit._errors import DataError, DeviceError, UsageError
from tfkit.bench.spec import PRESETS, Preset
from tfkit.devices import Completed
from tfkit.devices.local import LocalDevice

TINY = Preset("tiny", 1, 0.0, 0.0, 3, 0.0, 3, 5.0, processes=2)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS._entries, "tiny", TINY)


class Unplugged(LocalDevice):
    """This machine, which goes away at the start of the runner's nth process."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after
        self.runs = 0

    def run(self, command: Sequence[str], *, timeout: float) -> Completed:
        if "--model" in command:
            self.runs += 1
            if self.runs > self.left:
                raise DeviceError("the device went away")
        return super().run(command, timeout=timeout)


def run(file: Path, after: int = 99, **changed: Any) -> tuple[bench.Report, int]:
    device = Unplugged(after)
    arguments: dict[str, Any] = {"models": [golden("float32"), golden("int8")], "preset": "tiny", "seed": 1}
    report = bench.run(**{**arguments, **changed}, device=device, json_path=file)
    return report, device.runs


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_lost_device_loses_nothing(after: int, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    with pytest.raises(DeviceError, match=r"went away. What was measured is in .*r\.json; .* --resume continues"):
        run(file, after)
    kept = [result["processes"] for result in json.loads(file.read_text())["results"]]
    assert sum(map(len, kept)) == after
    report, runs = run(file, resume=True)
    assert runs == 4 - after
    assert [len(result.processes) for result in report.results] == [2, 2]
    continued = json.loads(file.read_text())
    flat = [process for result in continued["results"] for process in result["processes"]]
    assert all(process in flat for processes in kept for process in processes)
    assert [len(result["latency"]["process_medians_s"]) for result in continued["results"]] == [2, 2]
    _, runs = run(file, resume=True)
    assert runs == 0


def test_memory_is_not_measured_twice(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    report, runs = run(file, memory=True)
    assert runs == 4 + 2
    stages = [stage["stage"] for stage in (report.results[0].memory or {})["stages"]]
    assert stages == ["empty", "loaded", "compiled", "first_run", "after_runs"]
    again, runs = run(file, memory=True, resume=True)
    assert runs == 0
    assert again.results[0].memory == report.results[0].memory


def test_nothing_to_continue_is_a_fresh_start(tmp_path: Path) -> None:
    lines: list[str] = []
    _, runs = run(tmp_path / "new.json", resume=True, progress=lines.append)
    assert runs == 4


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 2}, "seed was 1, now it is 2"),
        ({"preset": "quick"}, "preset was .*now it is"),
        ({"threads": (1, 2)}, r"threads was \[1\], now it is \[1, 2\]"),
        ({"cpus": None}, "cpus was big, now it is None"),
        ({"models": [golden("int8")]}, "it has the model .*float32.tflite, which is not among those given"),
    ],
)
def test_another_measurement_is_not_continued(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    run(file)
    before = file.read_text()
    with pytest.raises(UsageError, match=f"cannot continue .*{message}"):
        run(file, **changed, resume=True)
    assert file.read_text() == before


def test_other_models_and_artifacts_are_not_mixed(tmp_path: Path) -> None:
    file, model = tmp_path / "r.json", tmp_path / "m.tflite"
    model.write_bytes(golden("float32").read_bytes())
    run(file, models=[model])
    document = json.loads(file.read_text())
    document["artifacts"]["delegate_sha256"] = "0" * 64
    document["device"]["properties"]["cpu_model"] = "another"
    file.write_text(json.dumps(document))
    model.write_bytes(golden("int8").read_bytes())
    with pytest.raises(UsageError, match=r"processor was another, .*delegate_sha256 was 0000.*sha256 of .*m\.tflite"):
        run(file, models=[model], resume=True)


def test_an_edited_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    run(file)
    document = json.loads(file.read_text())
    document["results"][0]["processes"][0]["measurement"]["run_ns"] = "fast"
    file.write_text(json.dumps(document))
    with pytest.raises(DeviceError, match=r"r\.json: measurement.run_ns is not a list"):
        run(file, resume=True)
    del document["results"][0]["processes"][0]["host"]
    document["results"][0]["processes"][0]["measurement"] = None
    file.write_text(json.dumps(document))
    with pytest.raises(DataError, match="does not say when it started"):
        run(file, resume=True)
