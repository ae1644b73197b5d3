"""Scripts and files over OpenSSH's client, all through one shared connection.

A script goes in by standard input to a plain ``sh``, so that no login shell, whichever it is, reads any of it.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import IO

from tfkit._errors import DeviceError, MissingToolError
from tfkit.devices import process
from tfkit.devices.base import Completed
from tfkit.devices.remote.framing import Frame, quoted
from tfkit.devices.ssh.address import Address
from tfkit.devices.ssh.complaints import explain

INSTALL = "apt-get install -y openssh-client"
OPTIONS = {
    "BatchMode": "yes",
    "ControlMaster": "auto",
    "ControlPersist": "60",
    "ConnectTimeout": "15",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
}
CLOSE_TIMEOUT_S = 10.0


class SshLink:
    """One board. The user's configuration, keys and agent hold; nothing is asked."""

    kind = "ssh"

    def __init__(self, address: Address, text: str) -> None:
        self.name = f"ssh:{text}"
        self._address = address
        ssh = shutil.which("ssh")
        if ssh is None:
            raise MissingToolError(f"ssh is not installed; run: {INSTALL}")
        # In a private folder: whoever can open the control socket can use the connection.
        self._private = tempfile.TemporaryDirectory(prefix="tfkit-ssh-", ignore_cleanup_errors=True)
        options = {**OPTIONS, "ControlPath": f"{self._private.name}/control"}
        self._ssh = [ssh, "-T", *(f"-o{key}={value}" for key, value in options.items())]

    def script(self, text: str, *, timeout: float) -> Completed:
        frame = Frame.around(text)
        with tempfile.TemporaryFile() as source:
            source.write(frame.text.encode(errors="surrogateescape") + b"\n")
            source.seek(0)
            answer = self._call("exec sh", timeout, stdin=source)
        done = frame.open(answer)
        if done is None:
            raise DeviceError(explain(self.name, self._address.host, answer))
        return done

    def send(self, file: Path, path: str, *, timeout: float) -> None:
        with file.open("rb") as source:
            self._checked(f"cat >{quoted([path])}", timeout, stdin=source)

    def fetch(self, path: str, file: Path, *, timeout: float) -> None:
        with file.open("wb") as target:
            self._checked(f"cat {quoted([path])}", timeout, stdout=target)

    def close(self) -> None:
        with contextlib.suppress(DeviceError):
            process.run([*self._ssh, "-O", "exit", *self._address.arguments()], timeout=CLOSE_TIMEOUT_S)
        self._private.cleanup()

    def _checked(
        self, command: str, timeout: float, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None
    ) -> None:
        done = self._call(command, timeout, stdin, stdout)
        if done.exit_code:
            raise DeviceError(explain(self.name, self._address.host, done))

    def _call(
        self, command: str, timeout: float, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None
    ) -> Completed:
        arguments = [*self._ssh, *self._address.arguments(), command]
        try:
            return process.run(arguments, timeout=timeout, stdin=stdin, stdout=stdout)
        except process.TimedOut as error:
            raise process.TimedOut(f"{self.name} has not answered within {timeout:g} s; is it still on?") from error
