"""The battery, from Android's ``dumpsys battery`` or /sys/class/power_supply."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# BatteryManager.BATTERY_STATUS_*
_STATUS = {"1": "Unknown", "2": "Charging", "3": "Discharging", "4": "Not charging", "5": "Full"}
_POWERED = re.compile(r"^(AC|USB|Wireless|Dock) powered: true$", re.MULTILINE)
_SUPPLY = re.compile(r"power_supply/([^/]{1,80})/(type|status|capacity|temp|online|present|scope)$")


@dataclass(frozen=True)
class Battery:
    """``powered``: a cable or pad feeds the device. ``celsius`` and ``percent`` are None where they are not told."""

    status: str
    powered: bool
    percent: int | None = None
    celsius: float | None = None

    @property
    def charging(self) -> bool:
        """Whether energy flows in from outside: while it does, no battery counter shows what a model takes."""
        return self.powered or self.status in ("Charging", "Full")


def parse_dumpsys(text: str) -> Battery | None:
    """From ``dumpsys battery``; None when there is none.

    >>> parse_dumpsys("  AC powered: false\\n  USB powered: true\\n  status: 2\\n  level: 57\\n  temperature: 312\\n")
    Battery(status='Charging', powered=True, percent=57, celsius=31.2)
    """
    values: dict[str, str] = {}
    for line in text.splitlines()[:100]:
        key, colon, value = line.strip().partition(":")
        if colon:
            values.setdefault(key, value.strip())
    if "status" not in values or values.get("present") == "false":
        return None
    stripped = "\n".join(line.strip() for line in text.splitlines()[:100])
    tenths = _integer(values.get("temperature"))
    return Battery(
        _STATUS.get(values["status"], "Unknown"),
        _POWERED.search(stripped) is not None,
        _integer(values.get("level")),
        None if tenths is None else tenths / 10,
    )


def parse_supplies(lines: Mapping[str, str]) -> Battery | None:
    """From path -> content of /sys/class/power_supply/*; None on a machine without a battery.

    A mouse and a headset have batteries too (``scope`` Device); they do not count.
    """
    supplies: dict[str, dict[str, str]] = {}
    for path, content in lines.items():
        match = _SUPPLY.search(path)
        if match:
            supplies.setdefault(match[1], {})[match[2]] = content.strip()
    own = [supply for supply in supplies.values() if supply.get("scope") != "Device"]
    batteries = [s for s in own if s.get("type") == "Battery" and s.get("present") != "0"]
    if not batteries:
        return None
    powered = any(s.get("online") == "1" for s in own if s.get("type") not in ("Battery", None))
    # Several entries may stand for one cell; any that charges says that energy flows in.
    chosen = next((s for s in batteries if s.get("status") == "Charging"), batteries[0])
    tenths = _integer(chosen.get("temp"))
    status = chosen.get("status", "Unknown")[:20]
    return Battery(status, powered, _integer(chosen.get("capacity")), None if tenths is None else tenths / 10)


def _integer(text: str | None) -> int | None:
    if text is None or not re.fullmatch(r"-?\d{1,9}", text):
        return None
    return int(text)
