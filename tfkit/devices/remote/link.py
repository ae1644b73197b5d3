"""The way to a device: scripts and files, nothing else. adb and ssh each are one."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tfkit.devices.base import Completed


class Link(Protocol):
    """Every call ends after ``timeout`` seconds at the latest, with ``TimedOut``; other trouble is ``DeviceError``."""

    name: str
    kind: str

    def script(self, text: str, *, timeout: float) -> Completed:
        """Run a POSIX shell script there. A link that is lost before the script has ended is a ``DeviceError``."""

    def send(self, file: Path, path: str, *, timeout: float) -> None:
        """Copy a host file to a path in an existing folder."""

    def fetch(self, path: str, file: Path, *, timeout: float) -> None:
        """Copy a file of the device to a host path."""

    def close(self) -> None:
        """Give the connection back."""
