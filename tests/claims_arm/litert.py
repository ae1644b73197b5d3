"""Flatbuffers in LiteRT on an emulated core, counted: XNNPACK alone, or behind tfkit's delegate."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.claims_arm import blocks
from tests.claims_arm.blocks import Counts
from tests.claims_arm.cores import Core
from tfkit import _native
from tfkit.bench.artifacts import Artifacts
from tfkit.devices import connect
from tfkit.devices.arm_cpus import CPUS
from tfkit.devices.qemu import LOADER, SYSROOT


def _command(model: Path, *, delegate: bool) -> list[str]:
    """The runner, which in this mode does nothing but run the model between its start and its end."""
    artifacts = Artifacts.for_platform(_native.ARM64)
    command = [str(artifacts.runner), "--litert", str(artifacts.litert), "--model", str(model), "--mode", "memory"]
    return [*command, "--delegate", str(artifacts.delegate)] if delegate else command


@contextmanager
def _stored(flatbuffer: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tfkit-litert-") as folder:
        model = Path(folder, "model.tflite")
        model.write_bytes(flatbuffer)
        yield model


@functools.cache
def counts(core: Core, flatbuffer: bytes, *, delegate: bool) -> Counts:
    """Executions by block that one invocation adds, on one thread."""
    with _stored(flatbuffer) as model:
        # XNNPACK chooses its kernels by this file.
        cpuinfo = model.parent / "proc" / "cpuinfo"
        cpuinfo.parent.mkdir()
        cpuinfo.write_text(CPUS[core.emulated].cpuinfo(1))
        arguments = ["--library-path", str(SYSROOT), *_command(model, delegate=delegate), "--runs"]
        # A first invocation comes before those that are asked for.
        return blocks.per_run(core.emulated, SYSROOT / LOADER, *arguments, prefix=model.parent, few=0, many=1)


def kernels(core: Core, flatbuffer: bytes) -> list[str]:
    """The kernels that the delegate runs, one name per node that it takes."""
    with _stored(flatbuffer) as model, connect(f"qemu:{core.emulated}") as device:
        done = device.run([*_command(model, delegate=True), "--runs=0"], timeout=300)
    assert done.exit_code == 0, str(done)
    report = json.loads(done.stdout)["delegate"]
    return [node["kernel"] for node in report["nodes"]] if report else []
