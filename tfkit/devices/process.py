"""Run a host process to its end or to its time limit, never longer, and never its children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

from tfkit._errors import DeviceError
from tfkit.devices.base import Completed


class TimedOut(DeviceError):
    """A command did not end in time and was killed."""


def run(
    command: Sequence[str],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
) -> Completed:
    """Run ``command`` in a process group of its own; ``stdin`` and ``stdout`` are open files, by default none and text.

    Raises:
        TimedOut: it has not ended after ``timeout`` seconds; the whole group is killed then.
        DeviceError: it cannot start.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DeviceError(f"cannot start {command[0]}: {reason}") from error
    try:
        said, complained = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"{os.path.basename(command[0])} has not ended after {timeout:g} s and was killed") from error
    finally:
        _end(process)
    code = process.returncode
    return Completed(
        code if code >= 0 else 128 - code, (said or b"").decode(errors="replace"), complained.decode(errors="replace")
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Also after an interrupt or a time limit nothing of the group stays behind."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
