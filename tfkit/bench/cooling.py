"""Wait until a device is as cool as it was at the beginning, and not longer than is sensible."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tfkit.devices import Device
from tfkit.devices.conditions import Conditions, Thermal, read
from tfkit.devices.conditions.thermal import STATUS

POLL_SECONDS = 5.0
# A phone's shell and battery are slow and start near the room's temperature: 2 degrees above idle, and never above 37.
# A sensor on the chip rises and falls by tens of degrees within seconds, and each chip idles elsewhere.
SLOW_MARGIN = 2.0
SLOW_LIMIT = 37.0
CHIP_MARGIN = 10.0

Say = Callable[[str], None]


class Cooler:
    """Keeps the idle temperature of one device: that of the first reading."""

    def __init__(
        self,
        device: Device,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device = device
        self._sleep = sleep
        self._clock = clock
        self._idle: float | None = None

    def wait(self, seconds: float, say: Say) -> tuple[Conditions, dict[str, Any]]:
        """The conditions once cool, or after ``seconds``; and, JSON-ready, how that went.

        Raises:
            DeviceError: the device does not answer.
        """
        start = self._clock()
        now = read(self._device)
        if self._idle is None:
            self._idle = now.thermal.skin
        told = False
        while (why := self._too_warm(now.thermal)) and self._clock() - start < seconds:
            if not told:
                say(f"waiting up to {seconds:.0f} s for the device to cool: {why}")
                told = True
            self._sleep(POLL_SECONDS)
            now = read(self._device)
        waited = self._clock() - start if told else 0.0
        return now, {"cool": why is None, "why": why, "waited_s": round(waited, 1)}

    def _too_warm(self, thermal: Thermal) -> str | None:
        if thermal.status:
            return f"thermal status {STATUS[thermal.status]}"
        skin = thermal.skin
        if skin is None or self._idle is None:
            return None
        slow = any(name.startswith(("skin:", "battery:")) for name in thermal.celsius)
        limit = min(self._idle + SLOW_MARGIN, SLOW_LIMIT) if slow else self._idle + CHIP_MARGIN
        return f"{skin:.1f} C, {limit:.1f} C wanted" if skin > limit else None
