"""One sweep works on a folder at a time; the kernel takes the lock back however the process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfkit._errors import InputError
from tfkit.tradeoffs.points import SweepError

LOCK = "sweep.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder, which is made if need be.

    Raises:
        SweepError: another process holds it.
        InputError: it cannot be made or written into.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+")
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror}; choose another folder") from error
    with file:  # opened without inheritance: a worker that outlives this process for a moment does not hold it
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            process = file.read(20).strip()
            who = f"process {process}" if process.isdigit() else "another process"
            raise SweepError(f"{who} is sweeping into {folder}; wait for it, or give another folder with -o") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
