"""What made the numbers: device, settings, artifacts, versions."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

import tfkit
from tfkit.bench.result import Report
from tfkit.devices import Device


def empty_report(device: Device, artifacts: Mapping[str, Any], spec: Mapping[str, Any]) -> Report:
    """A report without results, but with everything known before the first run."""
    properties = dict(device.properties())
    return Report(
        device={
            "name": device.name,
            "platform": device.platform,
            "label": device.label,
            "simulated": bool(properties.get("simulated")),
            "times_meaningful": device.times_meaningful,
            "properties": properties,
        },
        spec=spec,
        artifacts=artifacts,
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
