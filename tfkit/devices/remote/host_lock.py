"""Which of this host's sessions are alive: each holds a lock that the kernel takes back when its process ends."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import secrets
import tempfile
from pathlib import Path
from typing import IO


def _folder() -> Path:
    folder = Path(tempfile.gettempdir(), f"tfkit-sessions-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def host_tag() -> str:
    """The same for all sessions of this user on this host and in this lock folder, different elsewhere."""
    folder = _folder()
    text = f"{platform.node()} {os.getuid()} {folder} {folder.stat().st_ino}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class HostLock:
    """A session's name, ``HOST-RANDOM``, and its lock."""

    def __init__(self) -> None:
        self.name = f"{host_tag()}-{secrets.token_hex(6)}"
        self._path = _folder() / self.name
        self._file: IO[bytes] = self._path.open("wb")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        self._file.close()


def is_lost(name: str) -> bool:
    """Whether ``name`` is a session of this host whose process is gone; those of other hosts are never."""
    if not name.startswith(f"{host_tag()}-") or "/" in name:
        return False
    path = _folder() / name
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    path.unlink(missing_ok=True)
    return True
