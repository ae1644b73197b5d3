"""Temperatures and Android's thermal status, from ``dumpsys thermalservice`` and /sys/class/thermal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

STATUS = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
# Temperature{mValue=32.5, mType=3, mName=VIRTUAL-SKIN, mStatus=0}; android.hardware.thermal's TemperatureType.
_TYPES = {"0": "cpu", "1": "gpu", "2": "battery", "3": "skin"}
_STATUS = re.compile(r"^\s*Thermal Status:\s*(\d{1,2})\s*$", re.MULTILINE)
_READING = re.compile(r"Temperature\{([^{}\n]{1,300})\}")
_ZONE = re.compile(r"thermal_zone(\d{1,4})/(temp|type)$")
# A sensor that is off or broken says 0, -273 or a million.
PLAUSIBLE = (1.0, 150.0)


@dataclass(frozen=True)
class Thermal:
    """``status`` is Android's, 0 none to 6 shutdown; ``celsius`` holds one temperature per named sensor."""

    status: int | None = None
    celsius: Mapping[str, float] = field(default_factory=dict)

    @property
    def skin(self) -> float | None:
        """The temperature that decides on throttling: the skin's, else the battery's, else the hottest of the rest."""
        for kind in ("skin", "battery"):
            found = [value for name, value in self.celsius.items() if name.startswith(f"{kind}:")]
            if found:
                return max(found)
        return max(self.celsius.values(), default=None)


def parse_thermalservice(text: str) -> Thermal:
    """From Android's ``dumpsys thermalservice``; what it does not say is left out.

    The HAL's current temperatures are taken; the cached ones only where there are no others, for they may be old.

    >>> parse_thermalservice("Thermal Status: 1\\nTemperature{mValue=31.0, mType=3, mName=skin0, mStatus=1}")
    Thermal(status=1, celsius={'skin:skin0': 31.0})
    """
    status = _STATUS.search(text)
    _, found, current = text.partition("Current temperatures from HAL:")
    # What follows the temperatures are cooling devices, then thresholds.
    readings = (current if found else text).partition("Current cooling devices")[0]
    celsius = {}
    for match in _READING.finditer(readings):
        fields = dict(part.strip().partition("=")[::2] for part in match[1].split(","))
        value = _plausible(fields.get("mValue", ""))
        if value is not None:
            celsius[f"{_TYPES.get(fields.get('mType', ''), 'other')}:{fields.get('mName', '')}"] = value
    return Thermal(min(int(status[1]), len(STATUS) - 1) if status else None, celsius)


def parse_zones(lines: Mapping[str, str]) -> Thermal:
    """From path -> content of /sys/class/thermal/thermal_zone*/{temp,type}.

    The kernel gives thousandths of a degree, some vendors whole ones.

    >>> zone = "/sys/class/thermal/thermal_zone0/"
    >>> parse_zones({zone + "type": "cpu-thermal", zone + "temp": "48312"}).celsius
    {'zone0:cpu-thermal': 48.312}
    """
    zones: dict[int, dict[str, str]] = {}
    for path, content in lines.items():
        match = _ZONE.search(path)
        if match:
            zones.setdefault(int(match[1]), {})[match[2]] = content.strip()
    celsius = {}
    for number, zone in sorted(zones.items()):
        value = _plausible(zone.get("temp", ""), in_thousandths=True)
        if value is not None:
            celsius[f"zone{number}:{zone.get('type', '')[:40]}"] = value
    return Thermal(None, celsius)


def _plausible(text: str, *, in_thousandths: bool = False) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if in_thousandths and abs(value) >= 1000:
        value *= 1e-3
    return round(value, 4) if math.isfinite(value) and PLAUSIBLE[0] <= value <= PLAUSIBLE[1] else None
