"""The ``adb`` program. The user's settings (ANDROID_ADB_SERVER_PORT and the like) hold."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tfkit._errors import MissingToolError
from tfkit.devices import process
from tfkit.devices.base import Completed

INSTALL = "apt-get install -y adb"
# Starting the server, and its first look for devices.
SERVER_TIMEOUT_S = 30.0


def run(arguments: Sequence[str], *, timeout: float) -> Completed:
    """Call adb. Raises ``MissingToolError`` naming the command that brings it, ``TimedOut`` when it hangs."""
    adb = shutil.which("adb")
    if adb is None:
        raise MissingToolError(
            f"adb is not installed; run: {INSTALL} (or install Android's platform-tools and put them on PATH)"
        )
    try:
        return process.run([adb, *arguments], timeout=timeout)
    except process.TimedOut as error:
        raise process.TimedOut(
            f"adb {arguments[0] if arguments else ''} has not answered within {timeout:g} s; the device or the "
            "adb server hangs. Unplug and plug in the device, or run: adb kill-server"
        ) from error
