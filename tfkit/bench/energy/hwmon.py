"""Power sensors on a board: INA219, INA226, INA3221 and their like, through hwmon."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tfkit._errors import DeviceError
from tfkit.bench.energy.source import Reading, integer, mean_power

_FOLDER = "/sys/class/hwmon/hwmon*/"
_POWER = re.compile(r"(.*/)power(\d+)_input$")
_CURRENT = re.compile(r"(.*/)curr(\d+)_input$")


class HwmonSource:
    """``power*_input`` in microwatts; an INA3221 gives ``curr*_input`` (mA) and ``in*_input`` (mV) per channel instead.

    A sensor in front of the board and others behind it see the same energy. So it is one sensor that counts: the one
    that sees most, for nothing is behind what is in front of all.
    """

    name = "power sensors (hwmon)"
    globs = tuple(f"{_FOLDER}{kind}[0-9]_input" for kind in ("power", "curr", "in"))
    drains = False

    def find(self, files: Mapping[str, str]) -> bool:
        return next(_powers(files), None) is not None

    def watts(self, readings: Sequence[Reading]) -> float:
        series: dict[str, list[tuple[float, float]]] = {}
        for reading in readings:
            for sensor, watts in _powers(reading.files):
                series.setdefault(sensor, []).append((reading.seconds, watts))
        whole = [points for points in series.values() if len(points) == len(readings)]
        if not whole:
            raise DeviceError("no power sensor could be read all the time")
        return max(mean_power(points) for points in whole)


def _powers(files: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for path, text in files.items():
        value = integer(text)
        if value is None:
            continue
        if _POWER.match(path):
            yield path, value * 1e-6
        elif match := _CURRENT.match(path):
            millivolts = integer(files.get(f"{match[1]}in{match[2]}_input", ""))
            if millivolts is not None and f"{match[1]}power{match[2]}_input" not in files:
                yield path, value * millivolts * 1e-6
