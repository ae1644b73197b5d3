"""Scripts and files over adb, for Android 5 and later."""

from __future__ import annotations

from pathlib import Path

from tfkit._errors import DeviceError
from tfkit.devices.adb import client
from tfkit.devices.adb.complaints import explain
from tfkit.devices.base import Completed
from tfkit.devices.remote.framing import Frame

FEATURES_TIMEOUT_S = 20.0
SPOOL = "/data/local/tmp"


class AdbLink:
    """One device by its serial. Before Android 7 there is no shell v2: one stream and no exit code."""

    kind = "adb"

    def __init__(self, serial: str) -> None:
        self.name = f"adb:{serial}"
        self._serial = serial
        self._shell_v2 = "shell_v2" in self._adb(["features"], FEATURES_TIMEOUT_S).stdout.split()

    def script(self, text: str, *, timeout: float) -> Completed:
        if self._shell_v2:
            frame = Frame.around(text)
            answer = self._call(["shell", "-T", frame.text], timeout)
        else:
            frame = Frame.around(text, SPOOL)
            answer = self._call(["exec-out", frame.text], timeout)
        done = frame.open(answer)
        if done is None:
            raise DeviceError(explain(self.name, answer))
        return done

    def send(self, file: Path, path: str, *, timeout: float) -> None:
        self._adb(["push", str(file.absolute()), path], timeout)

    def fetch(self, path: str, file: Path, *, timeout: float) -> None:
        self._adb(["pull", path, str(file.absolute())], timeout)

    def close(self) -> None:
        """The adb server keeps the connection; it is the user's."""

    def _adb(self, arguments: list[str], timeout: float) -> Completed:
        done = self._call(arguments, timeout)
        if done.exit_code:
            raise DeviceError(explain(self.name, done))
        return done

    def _call(self, arguments: list[str], timeout: float) -> Completed:
        return client.run(["-s", self._serial, *arguments], timeout=timeout)
