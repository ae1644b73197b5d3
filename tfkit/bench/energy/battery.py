"""The battery's own gauge: current times voltage, with the liberties that vendors take."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence

from tfkit._errors import DeviceError
from tfkit.bench.energy.source import Reading, integer, mean_power

_FILE = re.compile(r"(.*/power_supply/[^/]+/)current_now$")
# Linux says microamperes and microvolts. A phone that is awake draws 50 mA to 5 A: 50000 to 5000000 uA. Vendors that
# write milliamperes are below 10000 with that, and a gauge in uA never is.
LEAST_MICROAMPERES = 10_000
LEAST_MICROVOLTS = 100_000


class BatterySource:
    """``current_now`` and ``voltage_now`` of the entry under /sys/class/power_supply that changes.

    Current that flows out is negative by Linux' rules and positive with several vendors; only one sign may occur, for
    a change of sign means that the battery was charged meanwhile. Current in milliamperes is recognised by its size.
    """

    name = "battery gauge"
    globs = ("/sys/class/power_supply/*/current_now", "/sys/class/power_supply/*/voltage_now")
    drains = True

    def find(self, files: Mapping[str, str]) -> bool:
        return any(self._entry(path, files) for path in files)

    def watts(self, readings: Sequence[Reading]) -> float:
        path = self._lively(readings)
        amperes = [self._number(reading, path) for reading in readings]
        if min(amperes) < 0 < max(amperes):
            raise DeviceError("the battery's current changed its direction, so it was charged meanwhile; unplug it")
        size = statistics.median(map(abs, amperes))
        if size == 0:
            raise DeviceError("the battery's gauge shows no current; it does not work on this device")
        scale = 1e-6 if size >= LEAST_MICROAMPERES else 1e-3
        points = []
        for reading, current in zip(readings, amperes, strict=True):
            volts = self._number(reading, path.replace("current_now", "voltage_now"))
            points.append(
                (reading.seconds, abs(current) * scale * volts * (1e-6 if volts >= LEAST_MICROVOLTS else 1e-3))
            )
        return mean_power(points)

    def _entry(self, path: str, files: Mapping[str, str]) -> bool:
        if not _FILE.match(path) or integer(files[path]) is None:
            return False
        return integer(files.get(path.replace("current_now", "voltage_now"), "")) is not None

    def _lively(self, readings: Sequence[Reading]) -> str:
        """Several entries may be called battery; the real gauge is the one that takes most different values."""
        paths = [path for path in readings[0].files if self._entry(path, readings[0].files)]
        if not paths:
            raise DeviceError("the battery's gauge cannot be read any more")
        return max(paths, key=lambda path: len({reading.files.get(path) for reading in readings}))

    def _number(self, reading: Reading, path: str) -> int:
        value = integer(reading.files.get(path, ""))
        if value is None:
            raise DeviceError(f"{path} could not be read all the time")
        return value
