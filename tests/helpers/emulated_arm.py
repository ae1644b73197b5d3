"""Run a flatbuffer on an emulated Arm core, through the bundle that goes to a device."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfkit.bench.artifacts import Artifacts
from tfkit.bench.inputs import concatenated
from tfkit.devices import connect


def run_on(
    cpu: str, flatbuffer: bytes, inputs: Sequence[np.ndarray], expected: Sequence[np.ndarray], folder: Path, *flags: str
) -> tuple[int, dict[str, Any]]:
    """Exit code and document of the runner; ``expected`` is its golden output."""
    (folder / "model.tflite").write_bytes(flatbuffer)
    (folder / "inputs.bin").write_bytes(concatenated(inputs))
    (folder / "golden.bin").write_bytes(concatenated(expected))
    with connect(f"qemu:{cpu}") as device:
        artifacts = Artifacts.for_platform(device.platform)
        command = [device.push(artifacts.runner), "--litert", device.push(artifacts.litert)]
        command += ["--delegate", device.push(artifacts.delegate), "--model", device.push(folder / "model.tflite")]
        command += ["--inputs", device.push(folder / "inputs.bin"), "--golden", device.push(folder / "golden.bin")]
        done = device.run([*command, "--runs=0", *flags], timeout=300)
    assert done.exit_code in (0, 3), str(done)
    return done.exit_code, json.loads(done.stdout)
