"""Ask a device for its conditions, in one shell command: over a cable each command costs a tenth of a second."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tfkit.devices.base import Device
from tfkit.devices.conditions import battery, thermal
from tfkit.devices.conditions.battery import Battery
from tfkit.devices.conditions.thermal import Thermal

TIMEOUT = 60.0
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
SERVICES = ("thermalservice", "battery")
_MARK = "tfkit-service "
# grep prefixes each line with its file, skips what cannot be read, and expands nothing that is not there. Only Android
# has dumpsys, which gives up on a service by itself after 10 s.
SCRIPT = (
    f"grep -sH '' {' '.join(FILES)}; if command -v dumpsys >/dev/null; then "
    + " ".join(f"echo; echo '{_MARK}{name}'; dumpsys {name} 2>/dev/null;" for name in SERVICES)
    + " fi; true"
)


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
    return parse(device.run(["sh", "-c", SCRIPT], timeout=TIMEOUT).stdout)


def parse(text: str) -> Conditions:
    """The conditions in what the script printed."""
    files, *services = text[:LONGEST_ANSWER].split(f"\n{_MARK}")
    lines = _by_path(files)
    heat, power = thermal.parse_zones(lines), battery.parse_supplies(lines)
    said = {name: text for name, _, text in (service.partition("\n") for service in services)}
    if said:
        service = thermal.parse_thermalservice(said.get("thermalservice", ""))
        heat = Thermal(service.status, service.celsius or heat.celsius)
        power = battery.parse_dumpsys(said.get("battery", "")) or power
    load = lines.get("/proc/loadavg", "").split()
    return Conditions(heat, power, _load(load[0] if load else ""), _count(lines.get(FILES[1], "")))


def _by_path(text: str) -> dict[str, str]:
    """The first line of each file; a path with a colon cannot be among FILES' matches that anyone reads."""
    lines: dict[str, str] = {}
    for line in text.splitlines():
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
