"""Android devices through the ``adb`` program."""

from __future__ import annotations

import os

from tfkit.devices.adb.link import AdbLink
from tfkit.devices.adb.listing import choose
from tfkit.devices.remote import RemoteDevice

# The one folder in which Android lets the shell user write files and execute them.
ROOT = "/data/local/tmp/tfkit"


def connect(which: str) -> RemoteDevice:
    """Open ``adb`` (the only device, or $ANDROID_SERIAL) or ``adb:SERIAL``; HOST:PORT is connected to first.

    Raises:
        UsageError: several devices and none named.
        DeviceError: none, or one that cannot be used; says what to do.
        MissingToolError: adb is not installed.
    """
    serial = choose(which, os.environ.get("ANDROID_SERIAL"))
    return RemoteDevice(AdbLink(serial), os.environ.get("TFKIT_DEVICE_ROOT", ROOT))
