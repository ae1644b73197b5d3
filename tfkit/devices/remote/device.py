"""A device at the other end of a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tfkit import _native
from tfkit._errors import DeviceError
from tfkit._files import whole_file
from tfkit.devices.base import Completed
from tfkit.devices.remote import facts
from tfkit.devices.remote.cache import Cache
from tfkit.devices.remote.framing import quoted
from tfkit.devices.remote.link import Link
from tfkit.devices.remote.session import Session
from tfkit.devices.userland import Userland

PULL_TIMEOUT_S = 600.0
LOOK_TIMEOUT_S = 30.0
CANNOT_EXECUTE, NOT_FOUND = 126, 127


class RemoteDevice:
    """``link`` is closed with it. ``root`` is the folder there that holds tfkit's files."""

    times_meaningful = True

    def __init__(self, link: Link, root: str) -> None:
        self.name = link.name
        self._link = link
        try:
            self._session = Session.open(link, root)
            self._cache = Cache(self._session)
            self._facts = facts.read(link)
        except BaseException:
            link.close()
            raise
        abi = self._session.userland.abi
        self.platform = _native.ARM64 if abi == "arm64" else f"linux-{abi}"
        self.label: str | None = "simulated" if self._facts["simulated"] else None

    @property
    def folder(self) -> str:
        """Where tfkit's files are on the device."""
        return self._session.root

    def push(self, file: Path) -> str:
        return self._cache.push(file)

    def pull(self, path: str, file: Path) -> None:
        with whole_file(file) as temporary:
            self._link.fetch(path, temporary, timeout=PULL_TIMEOUT_S)

    def run(self, command: Sequence[str], *, timeout: float) -> Completed:
        if any("\0" in word for word in command):
            raise DeviceError(f"cannot start {command[0]}: an argument holds a zero byte")
        done = self._session.run(command, timeout=timeout)
        if done.exit_code in (CANNOT_EXECUTE, NOT_FOUND):
            self._check_startable(command[0], done)
        return done

    def userland(self) -> Userland:
        return self._session.userland

    def properties(self) -> Mapping[str, Any]:
        """As read when the device was opened."""
        return {"kind": self._link.kind, **self._facts, "userland": self.userland().to_json()}

    def close(self) -> None:
        self._session.close()
        self._link.close()

    def __enter__(self) -> RemoteDevice:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_startable(self, program: str, done: Completed) -> None:
        """Tell a program that could not start from one that itself ended with 126 or 127."""
        word = quoted([program])
        look = self._link.script(
            f"command -v {word} >/dev/null 2>&1 && echo found; [ -e {word} ] && echo file",
            timeout=LOOK_TIMEOUT_S,
        )
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        if program.startswith(f"{self._session.root}/") and done.exit_code == CANNOT_EXECUTE:
            raise DeviceError(
                f"{self.name} may not execute files in {self._session.root} ({reason}): the file system is mounted "
                "noexec or SELinux forbids it. Set TFKIT_DEVICE_ROOT to a folder there that programs may run from"
            )
        if program.startswith(f"{self._session.root}/") and "file" not in look.stdout:
            raise DeviceError(f"{self.name} has lost {program} since it was sent; was it restarted? Run again")
        if "found" not in look.stdout:
            raise DeviceError(f"cannot start {program} on {self.name}: {reason}")
