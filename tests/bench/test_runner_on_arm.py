"""The aarch64 tfkit_bench on an emulated core: all that is not timing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from helpers.fake_root import FakeRoot
from helpers.flatbuffers import golden
from tfkit.bench.artifacts import Artifacts
from tfkit.bench.profile import attribute
from tfkit.devices import connect

pytestmark = pytest.mark.qemu
MODEL = golden("lce_float32")


def on_cortex_a72(*flags: str | Path) -> dict[str, Any]:
    with connect("qemu:cortex-a72") as device:
        artifacts = Artifacts.for_platform(device.platform)
        command = [device.push(artifacts.runner), "--litert", device.push(artifacts.litert)]
        command += ["--delegate", device.push(artifacts.delegate), "--model", device.push(MODEL)]
        done = device.run([*command, "--warmup-runs=1", "--warmup-seconds=0", *map(str, flags)], timeout=300)
    assert done.exit_code == 0, str(done)
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["context"]["uname"]["machine"] == "aarch64"
    return document


def test_latency_with_a_scripted_phone(tmp_path: Path) -> None:
    root = FakeRoot(tmp_path, 8)
    root.capacities([250] * 4 + [1024] * 4)
    root.policy(4, {"related_cpus": "4 5 6 7", "stats/time_in_state": "1800000 5"})
    root.write("sys/class/thermal/thermal_zone0/temp", "41234")
    root.thread(7, "tfkit_bench", 4, "4-7")
    document = on_cortex_a72("--runs=5", "--cpus=big", "--threads=2", "--root", tmp_path)
    assert document["affinity"]["cpus"] == [4, 5, 6, 7]
    assert document["affinity"]["threads"] == [{"name": "tfkit_bench", "cpu": 4, "allowed": [4, 5, 6, 7]}]
    after = document["conditions"]["after"]
    assert after["policies"][0]["time_in_state_ms"] == [[1_800_000, 50]]
    assert after["thermal"][0]["millidegrees"] == 41_234
    measurement = document["measurement"]
    assert [len(measurement[key]) for key in ("run_ns", "input_write_ns", "output_read_ns")] == [5, 5, 5]
    assert measurement["backward_steps"] == 0
    assert measurement["repeatable"] is True


def test_the_emulators_threads_are_none_of_the_programs() -> None:
    """Those started before the mask was set and may be anywhere; what is measured is where it was put."""
    cpu = max(os.sched_getaffinity(0))
    affinity = on_cortex_a72("--runs=2", f"--cpus={cpu}", "--threads=2")["affinity"]
    assert affinity["applied"] is True
    assert len(affinity["threads"]) >= 2
    assert {tuple(thread["allowed"]) for thread in affinity["threads"]} == {(cpu,)}


def test_memory() -> None:
    memory = on_cortex_a72("--mode=memory", "--runs=2")["memory"]
    assert [stage["stage"] for stage in memory["stages"]] == [
        *("empty", "loaded", "compiled", "first_run", "after_runs")
    ]


def test_profile() -> None:
    """The same partitions and layers as on the host: what XNNPACK takes does not depend on the machine."""
    document = on_cortex_a72("--mode=profile", "--runs=50")
    profile = attribute(document, MODEL.read_bytes())
    assert [row.index for row in profile.rows if row.index is not None] == list(range(10))
    kernels = {row.op: row.kernel for row in profile.rows if row.runs_in == "tfkit" and row.index is not None}
    assert all(kernels[op] for op in ("LceQuantize", "LceBconv2d", "LceBMaxPool2d"))
