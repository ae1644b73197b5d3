"""The narrow interface that a device offers, whatever lies behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from tfkit.devices.userland import Userland


@dataclass(frozen=True)
class Completed:
    """How a command ended. A command killed by signal N has exit code 128 + N, as shells and adb say it."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def signal(self) -> int | None:
        """The signal that killed the command, if one did."""
        return self.exit_code - 128 if 128 < self.exit_code < 193 else None


class Device(Protocol):
    """A place that runs commands and holds files. No argument ever passes through a shell unquoted.

    ``name`` is what ``connect`` was given; ``platform`` says which binaries run there, for example
    ``linux-aarch64``; ``times_meaningful`` is False where the clock says nothing about hardware; ``label`` goes
    beside every result, for example ``"simulated"``, None for nothing special.
    """

    name: str
    platform: str
    times_meaningful: bool
    label: str | None

    def push(self, file: Path) -> str:
        """Make a host file available, readable and executable; returns its absolute path on the device.

        Devices with files of their own keep it in a cache by content: what is there already is not sent again, and
        what was sent is compared with the original. Raises ``DeviceError``.
        """

    def pull(self, path: str, file: Path) -> None:
        """Copy a file of the device to the host, whole or not at all. Raises ``DeviceError``."""

    def run(self, command: Sequence[str], *, timeout: float) -> Completed:
        """Run a pushed program, or one that the device has, to its end.

        Raises ``DeviceError`` when it cannot start, when the device goes away, and after ``timeout`` seconds; the
        program is ended then.
        """

    def userland(self) -> Userland:
        """What the device's programs are made for: ABI, C library, kernel."""

    def properties(self) -> Mapping[str, Any]:
        """JSON-ready facts for the record: processor, kernel, what it is emulated by."""

    def close(self) -> None:
        """Give everything back; a closed device is not used again."""

    def __enter__(self) -> Device: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class HostFiles:
    """What ``local`` and ``qemu`` share: the device's files are the host's, so nothing is copied to it."""

    label: str | None = None

    def push(self, file: Path) -> str:
        """The file's own absolute path."""
        return str(file.resolve())

    def pull(self, path: str, file: Path) -> None:
        """Copy ``path`` to ``file``."""
        from tfkit._errors import DeviceError
        from tfkit._files import whole_file

        with whole_file(file) as temporary:
            try:
                temporary.write_bytes(Path(path).read_bytes())
            except OSError as error:
                raise DeviceError(f"cannot fetch {path}: {error.strerror}") from error

    def close(self) -> None:
        """Nothing to give back."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
