"""What would spoil a measurement on a device right now: speed control, heat, power, room, load."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tfkit.devices import cores
from tfkit.devices.base import Device
from tfkit.devices.cores import Core

TIMEOUT_S = 30.0
_SCRIPT = (
    cores.SCRIPT
    + r"""
for z in /sys/class/thermal/thermal_zone*; do
  [ -r $z/temp ] && echo "zone $(cat $z/temp 2>/dev/null || echo -) $(cat $z/type)"
done 2>/dev/null
for b in /sys/class/power_supply/*; do
  [ "$(cat $b/type 2>/dev/null)" = Battery ] && echo "battery $(cat $b/status) $(cat $b/capacity)"
done 2>/dev/null
echo "load $(cat /proc/loadavg 2>/dev/null)"
grep -m 1 -E '^(Features|flags)' /proc/cpuinfo
[ -n "$1" ] && df -k "$1" | tail -n 1 | sed 's/^/room /'
if command -v dumpsys >/dev/null 2>&1; then
  dumpsys thermalservice 2>/dev/null | grep -m 1 'Thermal Status' | sed 's/^/android /'
  dumpsys battery 2>/dev/null | grep -E '^ *(AC|USB|Wireless|Dock) powered: true|^ *level:' | sed 's/^/android /'
fi
command -v vcgencmd >/dev/null 2>&1 && echo "throttled $(vcgencmd get_throttled)"
true
"""
)


@dataclass(frozen=True)
class Conditions:
    """None and empty where the device does not tell.

    ``thermal_status`` is Android's, from 0 (none) to 6 (shutdown); ``zones`` are (name, degrees Celsius);
    ``throttled`` is the Raspberry Pi's bit mask.
    """

    cores: tuple[Core, ...]
    features: tuple[str, ...]
    zones: tuple[tuple[str, float], ...]
    thermal_status: int | None
    throttled: int | None
    charging: bool | None
    battery_percent: int | None
    free_bytes: int | None
    load: float | None


def read(device: Device, folder: str | None = None) -> Conditions:
    """One look, in one round trip; ``folder`` is where room is asked for. Raises ``DeviceError``."""
    done = device.run(["sh", "-c", _SCRIPT, "sh", folder or ""], timeout=TIMEOUT_S)
    return parse(done.stdout)


def parse(text: str) -> Conditions:
    """The conditions in what the look printed."""
    lines = text.splitlines()
    android = "\n".join(line for line in lines if line.startswith("android "))
    battery = next((line.split() for line in lines if line.startswith("battery ")), [])
    level = re.search(r"level: (\d+)", android)
    charging: bool | None = None
    if "android" in android:
        charging = "powered: true" in android
    elif len(battery) > 1:
        charging = battery[1] in ("Charging", "Full")
    percent = level[1] if level else (battery[2] if len(battery) > 2 else "")
    return Conditions(
        cores=tuple(cores.parse(text)),
        features=tuple(next((line.partition(":")[2].split() for line in lines if _FEATURES.match(line)), [])),
        zones=tuple(_zones(lines)),
        thermal_status=_integer(re.search(r"Thermal Status: (\d+)", android)),
        throttled=_integer(re.search(r"^throttled throttled=0x([0-9a-fA-F]+)", text, re.MULTILINE), 16),
        charging=charging,
        battery_percent=int(percent) if percent.isdigit() else None,
        free_bytes=_free(lines),
        load=_load(lines),
    )


_FEATURES = re.compile(r"(Features|flags)\s*:")


def _zones(lines: Sequence[str]) -> list[tuple[str, float]]:
    """Plausible temperatures; the kernel gives thousandths of a degree, some vendors whole ones."""
    found = []
    for line in lines:
        match = re.fullmatch(r"zone (-?\d+) (.+)", line)
        if match is None:
            continue
        value = int(match[1])
        celsius = value / 1000 if abs(value) >= 1000 else float(value)
        if 0 < celsius < 150:
            found.append((match[2].strip(), celsius))
    return found


def _free(lines: Sequence[str]) -> int | None:
    fields = next((line.split() for line in lines if line.startswith("room ")), [])
    numbers = [int(field) for field in fields[2:] if field.isdigit()]
    return numbers[2] * 1024 if len(numbers) >= 3 else None


def _load(lines: Sequence[str]) -> float | None:
    fields = next((line.split() for line in lines if line.startswith("load ")), [])
    try:
        return float(fields[1])
    except (IndexError, ValueError):
        return None


def _integer(match: re.Match[str] | None, base: int = 10) -> int | None:
    return None if match is None else int(match[1], base)
