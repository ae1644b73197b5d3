"""The machine that tfkit runs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfkit import _native
from tfkit._errors import UsageError
from tfkit.devices import facts, process
from tfkit.devices.base import Completed, HostFiles
from tfkit.devices.userland import PROBE, Userland, parse


class LocalDevice(HostFiles):
    """This machine; commands are plain child processes."""

    name = "local"
    times_meaningful = True

    def __init__(self) -> None:
        self.platform = _native.host_platform()

    def run(self, command: Sequence[str], *, timeout: float) -> Completed:
        return process.run(command, timeout=timeout)

    def userland(self) -> Userland:
        return parse(process.run(["sh", "-c", PROBE], timeout=30).stdout)

    def properties(self) -> Mapping[str, Any]:
        return {"kind": "local", **facts.host()}

    def __enter__(self) -> LocalDevice:
        return self


def connect(which: str) -> LocalDevice:
    """``local`` takes nothing after a colon."""
    if which:
        raise UsageError(f"there is one local device; got 'local:{which}', give 'local'")
    return LocalDevice()
