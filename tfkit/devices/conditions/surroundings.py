"""A closer look at a device, once and before anything is measured: its conditions, cores, instructions and room."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tfkit.devices import cores
from tfkit.devices.base import Device
from tfkit.devices.conditions.read import SCRIPT as CONDITIONS
from tfkit.devices.conditions.read import TIMEOUT, Conditions
from tfkit.devices.conditions.read import parse as parse_conditions
from tfkit.devices.cores import Core

# Where the answer of the conditions' own script begins.
_MARK = "tfkit-conditions"
SCRIPT = (
    cores.SCRIPT
    + r"""
grep -m 1 -E '^(Features|flags)' /proc/cpuinfo
[ -n "$1" ] && df -k "$1" | tail -n 1 | sed 's/^/room /'
command -v vcgencmd >/dev/null 2>&1 && echo "throttled $(vcgencmd get_throttled)"
"""
    + f"echo {_MARK}\n{CONDITIONS}\n"
)
_FEATURES = re.compile(r"^(?:Features|flags)\s*:(.*)$", re.MULTILINE)
_ROOM = re.compile(r"^room (.*)$", re.MULTILINE)
_THROTTLED = re.compile(r"^throttled throttled=0x([0-9a-fA-F]{1,8})$", re.MULTILINE)


@dataclass(frozen=True)
class Surroundings:
    """None and empty where the device does not tell; ``throttled`` is the Raspberry Pi's bit mask."""

    conditions: Conditions
    cores: tuple[Core, ...]
    features: tuple[str, ...]
    throttled: int | None
    free_bytes: int | None


def look(device: Device, folder: str | None = None) -> Surroundings:
    """Everything in one round trip; ``folder`` is where room is asked for. Raises ``DeviceError``."""
    return parse(device.run(["sh", "-c", SCRIPT, "sh", folder or ""], timeout=TIMEOUT).stdout)


def parse(text: str) -> Surroundings:
    """The surroundings in what the look printed."""
    own, _, conditions = text.partition(f"{_MARK}\n")
    features = _FEATURES.search(own)
    throttled = _THROTTLED.search(own)
    return Surroundings(
        conditions=parse_conditions(conditions),
        cores=tuple(cores.parse(own)),
        features=() if features is None else tuple(features[1].split()),
        throttled=None if throttled is None else int(throttled[1], 16),
        free_bytes=_free(own),
    )


def _free(text: str) -> int | None:
    """The third number of the line: size, used, available, in KiB."""
    room = _ROOM.search(text)
    numbers = [] if room is None else [int(field) for field in room[1].split()[1:] if field.isdigit()]
    return numbers[2] * 1024 if len(numbers) >= 3 else None
