"""Ask a device for its conditions: one shell command for the files, two more where Android answers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tfkit._errors import DeviceError
from tfkit.bench.conditions import battery, thermal
from tfkit.bench.conditions.battery import Battery
from tfkit.bench.conditions.thermal import Thermal
from tfkit.devices import Device

TIMEOUT = 30.0
LONGEST_ANSWER = 200_000
FILES = (
    "/proc/loadavg",
    "/sys/devices/system/cpu/online",
    "/sys/class/thermal/thermal_zone*/type",
    "/sys/class/thermal/thermal_zone*/temp",
    *(
        f"/sys/class/power_supply/*/{name}"
        for name in ("type", "status", "capacity", "temp", "online", "present", "scope")
    ),
)
# grep prefixes each line with its file, skips what cannot be read, and expands nothing that is not there.
SCRIPT = f"grep -sH '' {' '.join(FILES)}; command -v dumpsys >/dev/null && echo dumpsys:yes; true"


@dataclass(frozen=True)
class Conditions:
    """``load`` is the mean number of running tasks over the last minute; None and empty where nothing is told."""

    thermal: Thermal
    battery: Battery | None
    load: float | None
    cpus: int | None

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Conditions:
        """The inverse of ``to_json``."""
        power = data["battery"]
        return cls(Thermal(**data["thermal"]), None if power is None else Battery(**power), data["load"], data["cpus"])


def read(device: Device) -> Conditions:
    """The conditions now. What the device does not tell is missing in them; that is no error.

    Raises:
        DeviceError: the device does not answer at all.
    """
    lines = _by_path(device.run(["sh", "-c", SCRIPT], timeout=TIMEOUT).stdout)
    heat, power = thermal.parse_zones(lines), battery.parse_supplies(lines)
    if lines.get("dumpsys") == "yes":
        service = thermal.parse_thermalservice(_dumpsys(device, "thermalservice"))
        heat = Thermal(service.status, service.celsius or heat.celsius)
        power = battery.parse_dumpsys(_dumpsys(device, "battery")) or power
    load = lines.get("/proc/loadavg", "").split()
    return Conditions(heat, power, _load(load[0] if load else ""), _count(lines.get(FILES[1], "")))


def _dumpsys(device: Device, service: str) -> str:
    with contextlib.suppress(DeviceError):  # a service that hangs or is refused tells nothing, and stops nothing
        return device.run(["dumpsys", service], timeout=TIMEOUT).stdout[:LONGEST_ANSWER]
    return ""


def _by_path(text: str) -> dict[str, str]:
    """The first line of each file; a path with a colon cannot be among FILES' matches that anyone reads."""
    lines: dict[str, str] = {}
    for line in text[:LONGEST_ANSWER].splitlines():
        path, colon, content = line.partition(":")
        if colon:
            lines.setdefault(path, content)
    return lines


def _load(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _count(text: str) -> int | None:
    """How many CPUs a list such as 0-3,6 holds."""
    total = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal() or len(part) > 12:
            return None
        total += max(0, int(last or first) - int(first) + 1)
    return total or None
