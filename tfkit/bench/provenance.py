"""What made the numbers: device, settings, artifacts, versions."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

import tfkit
from tfkit.bench.artifacts import Artifacts
from tfkit.bench.result import Report
from tfkit.bench.spec import Preset
from tfkit.devices import Device


def empty_report(
    device: Device,
    artifacts: Artifacts,
    preset: Preset,
    threads: Sequence[int],
    seed: int,
    data: str | os.PathLike[str] | None,
    kernel: str | None,
) -> Report:
    """A report without results, but with everything known before the first run."""
    return Report(
        device={
            "name": device.name,
            "platform": device.platform,
            "times_meaningful": device.times_meaningful,
            "properties": dict(device.properties()),
        },
        spec={
            "preset": preset.name,
            "threads": list(threads),
            "seed": seed,
            "data": None if data is None else str(data),
            "kernel": kernel,
        },
        artifacts=artifacts.provenance(),
        host={"python": platform.python_version(), "versions": _versions()},
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    )


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"tfkit": tfkit.__version__, "numpy": np.__version__}
    try:
        found["ai-edge-litert"] = version("ai-edge-litert")
    except PackageNotFoundError:  # on the path without an installation
        found["ai-edge-litert"] = None
    return found
