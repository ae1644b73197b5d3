"""What phones over adb and boards over ssh share: everything but the way a script and a file get there."""

from __future__ import annotations

from tfkit.devices.remote.device import RemoteDevice
from tfkit.devices.remote.link import Link

__all__ = ["Link", "RemoteDevice"]
