"""Counters of energy: power rails of Pixel phones (ODPM), Intel's and AMD's RAPL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tfkit._errors import DeviceError
from tfkit.bench.energy.source import Reading, integer

_RAIL = re.compile(r"^CH\d+\(T=(\d{1,18})\)\[([^\]]{1,80})\],\s*(\d{1,18})\s*$", re.MULTILINE)


class OdpmSource:
    """``energy_value`` of the power monitors: microwatt-seconds per rail since boot, all rails together."""

    name = "power rails (ODPM)"
    globs = ("/sys/bus/iio/devices/iio:device*/energy_value",)
    drains = False

    def find(self, files: Mapping[str, str]) -> bool:
        return any(_RAIL.search(text) for text in files.values())

    def watts(self, readings: Sequence[Reading]) -> float:
        first, last = (self._rails(reading) for reading in (readings[0], readings[-1]))
        grown = [last[rail] - first[rail] for rail in first if rail in last]
        if not grown or min(grown) < 0:
            raise DeviceError("the energy counters of the power rails ran backwards; did the device restart?")
        return sum(grown) * 1e-6 / _duration(readings)

    def _rails(self, reading: Reading) -> dict[str, int]:
        return {
            f"{path} {match[2]}": int(match[3])
            for path, text in reading.files.items()
            for match in _RAIL.finditer(text)
        }


class RaplSource:
    """``energy_uj`` of the processor packages, which starts again at 0 after ``max_energy_range_uj``."""

    name = "RAPL"
    # Packages only (intel-rapl:0); what is within them (intel-rapl:0:1) is counted by them already.
    globs = (
        "/sys/class/powercap/intel-rapl:[0-9]/energy_uj",
        "/sys/class/powercap/intel-rapl:[0-9]/max_energy_range_uj",
    )
    drains = False

    def find(self, files: Mapping[str, str]) -> bool:
        return any(path.endswith("/energy_uj") and integer(text) is not None for path, text in files.items())

    def watts(self, readings: Sequence[Reading]) -> float:
        total = 0
        for earlier, later in pairwise(readings):
            for path in earlier.files:
                if path.endswith("/energy_uj"):
                    total += self._grown(path, earlier, later)
        return total * 1e-6 / _duration(readings)

    def _grown(self, path: str, earlier: Reading, later: Reading) -> int:
        start, end = integer(earlier.files[path]), integer(later.files.get(path, ""))
        if start is None or end is None:
            raise DeviceError(f"{path} cannot be read any more; RAPL needs root on most systems")
        if end >= start:
            return end - start
        period = integer(later.files.get(path.replace("energy_uj", "max_energy_range_uj"), ""))
        if not period or period < start:
            raise DeviceError(f"{path} ran backwards and does not say where it starts again")
        return period - start + end


def _duration(readings: Sequence[Reading]) -> float:
    return readings[-1].seconds - readings[0].seconds
