"""Facts about a Linux machine, read from /proc and /sys; what cannot be read is left out."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

ROOT = Path("/")


def host(root: Path = ROOT) -> dict[str, Any]:
    """JSON-ready facts about this machine: processor, frequency governor, load, kernel."""
    found: dict[str, Any] = {
        "machine": platform.machine(),
        "system": platform.system(),
        "kernel": platform.release(),
        "logical_cpus": os.cpu_count(),
        "cpu_model": cpu_model(_read(root / "proc/cpuinfo")),
        "governors": governors(root / "sys/devices/system/cpu"),
    }
    try:
        found["load_average"] = [round(value, 2) for value in os.getloadavg()]
    except OSError:  # some containers have none
        found["load_average"] = None
    return found


def cpu_model(cpuinfo: str) -> str | None:
    """The processor's name in the text of /proc/cpuinfo; on Arm the implementer and part numbers.

    >>> cpu_model("processor\\t: 0\\nmodel name\\t: Some CPU @ 2 GHz\\n")
    'Some CPU @ 2 GHz'
    >>> cpu_model("CPU implementer\\t: 0x41\\nCPU part\\t: 0xd08\\n\\nCPU implementer\\t: 0x41\\nCPU part\\t: 0xd03\\n")
    'implementer 0x41 parts 0xd08, 0xd03'
    """
    lines = [line.partition(":") for line in cpuinfo.splitlines()]
    values = [(key.strip(), value.strip()) for key, _, value in lines]
    for wanted in ("model name", "Model", "Hardware"):
        for key, value in values:
            if key == wanted and value:
                return value
    parts = list(dict.fromkeys(value for key, value in values if key == "CPU part"))
    implementers = list(dict.fromkeys(value for key, value in values if key == "CPU implementer"))
    return f"implementer {', '.join(implementers)} parts {', '.join(parts)}" if parts else None


def governors(folder: Path) -> list[str] | None:
    """The distinct cpufreq governors in use; None where the kernel shows none, as in most virtual machines."""
    found = {_read(file).strip() for file in folder.glob("cpu[0-9]*/cpufreq/scaling_governor")} - {""}
    return sorted(found) or None


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
