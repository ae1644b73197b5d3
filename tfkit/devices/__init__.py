"""Where a flatbuffer can run: ``connect("local")``, ``connect("qemu:cortex-a72")``, ``connect("adb")``."""

from __future__ import annotations

from collections.abc import Callable

from tfkit._errors import UsageError
from tfkit._registry import Registry
from tfkit.devices import adb, local, qemu, ssh
from tfkit.devices.base import Completed, Device

__all__ = ["DEVICES", "Completed", "Device", "connect"]

# kind -> function of what follows the colon ("" for nothing). A new kind is one module and one line here.
DEVICES: Registry[Callable[[str], Device]] = Registry("device")
DEVICES.add("local", local.connect)
DEVICES.add("qemu", qemu.connect)
DEVICES.add("adb", adb.connect)
DEVICES.add("ssh", ssh.connect)

ACCEPTED = "local, qemu:CPU (for example qemu:cortex-a72), adb[:SERIAL], ssh:[user@]host[:port]"


def connect(spec: str) -> Device:
    """Open a device named ``KIND`` or ``KIND:WHICH``; use it as a context manager, or close it.

    Raises:
        UsageError: an unknown kind or CPU; says what is accepted.
        MissingToolError: a program that the device needs is not installed; names the command that brings it.
    """
    kind, _, which = spec.partition(":")
    try:
        opener = DEVICES[kind]
    except UsageError as error:
        raise UsageError(f"{error}. A device is given as {ACCEPTED}") from error
    return opener(which)
