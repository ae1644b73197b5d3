"""Files known by their content: written whole and onto the disk, so that what has a name is complete."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from tfkit._errors import InputError
from tfkit._files import whole_file
from tfkit.tradeoffs.points import ARTIFACTS, SweepError


class Store:
    """The folder of artifacts of one sweep; ``SHA-256.SUFFIX`` is the name of a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ARTIFACTS
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write into {folder}: {error.strerror}; choose another folder") from error

    def put(self, content: bytes, suffix: str) -> str:
        """Keep ``content``; its name. It is on the disk when this returns.

        Raises:
            InputError: no room, or no right to write.
        """
        name = hashlib.sha256(content).hexdigest() + suffix
        path = self._folder / name
        if not (path.exists() and path.stat().st_size == len(content)):
            with whole_file(path) as temporary, temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _sync(self._folder)  # the name, too
        return name

    def get(self, name: str) -> bytes:
        """The content of a file; raises ``SweepError`` when it is missing or not what it was."""
        path = self._folder / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SweepError(f"cannot read {path}: {error.strerror}; sweep again, and it is made anew") from error
        if hashlib.sha256(content).hexdigest() != name.partition(".")[0]:
            path.unlink()
            raise SweepError(f"{path} was not what its name says and is deleted; sweep again, and it is made anew")
        return content

    def path(self, name: str) -> Path:
        """Where a file is."""
        return self._folder / name

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return self.path(name).is_file()

    def clean(self) -> None:
        """Delete what a killed sweep left half-written; only for who holds the lock."""
        for leftover in self._folder.glob(".*"):
            leftover.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Scratch:
    """A folder for what a step has not finished: its checkpoints, or the samples measured so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "scratch"

    def of(self, key: str) -> Path:
        """The folder of one step, made if need be."""
        folder = self._folder / key
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write into {folder}: {error.strerror}; make room or choose another") from error
        return folder

    def clear(self, key: str) -> None:
        """Nothing of this step is needed any more."""
        shutil.rmtree(self._folder / key, ignore_errors=True)
