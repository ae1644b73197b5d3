"""Files on the device by their content: sent once, and only believed after they were compared with the original."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import tempfile
from pathlib import Path

from tfkit._errors import DeviceError
from tfkit.devices.remote import pruning
from tfkit.devices.remote.framing import quoted
from tfkit.devices.remote.session import Session

ATTEMPTS = 2
CHECK_TIMEOUT_S = 120.0
DAMAGED = 96
# A slow link brings a megabyte in ten seconds.
SECONDS_PER_BYTE = 10 / 1e6
_PLAIN = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,99}")


class Cache:
    """``ROOT/cache/SHA256/NAME``; a file appears under that name only when it is whole.

    What was not used for longest is dropped when more than ``pruning.LIMIT_BYTES`` would be there.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, int, int, int], str] = {}

    def push(self, file: Path) -> str:
        """The file's path on the device. Raises ``DeviceError`` also when it arrives damaged twice."""
        try:
            found = file.stat()
            key = (str(file.absolute()), found.st_size, found.st_mtime_ns, found.st_ino)
            if key not in self._known:
                self._known[key] = self._bring(file, _sha256(file), found.st_size)
        except OSError as error:
            raise DeviceError(f"cannot read {file}: {error.strerror}") from error
        return self._known[key]

    def _bring(self, file: Path, digest: str, size: int) -> str:
        session = self._session
        entry = f"{digest}/{_plain_name(file.name)}"
        path = f"{session.root}/cache/{entry}"
        session.used.add(entry)
        if session.cached.get(entry) == size:
            return path
        pruning.make_room(session, size)
        for _ in range(ATTEMPTS):
            arriving = f"{session.folder}/{secrets.token_hex(8)}"
            try:
                session.link.send(file, arriving, timeout=60 + size * SECONDS_PER_BYTE)
                if self._settle(arriving, path, digest):
                    session.cached[entry] = size
                    return path
            except BaseException:
                with contextlib.suppress(DeviceError):
                    session.link.script(f"rm -f {quoted([arriving])}", timeout=CHECK_TIMEOUT_S)
                raise
        raise DeviceError(
            f"{file.name} arrived damaged on {session.link.name} {ATTEMPTS} times; try another cable, port or network"
        )

    def _settle(self, arriving: str, path: str, digest: str) -> bool:
        """Give what arrived its name if its content is right, else remove it."""
        session = self._session
        if "sha256sum" not in session.tools and self._read_back(arriving) != digest:
            check = "false"
        elif "sha256sum" not in session.tools:
            check = "true"
        else:
            check = f'[ "$(sha256sum <{quoted([arriving])} | head -c 64)" = {digest} ]'
        folder = path.rpartition("/")[0]
        # Its time becomes that of its arrival: adb would keep the original's.
        steps = f"mkdir -p {quoted([folder])} && chmod 755 {quoted([arriving])} && touch {quoted([arriving])}"
        steps += f" && mv -f {quoted([arriving, path])}"
        script = f"{check} || {{ rm -f {quoted([arriving])}; exit {DAMAGED}; }}\n{steps}"
        done = session.link.script(script, timeout=CHECK_TIMEOUT_S)
        if done.exit_code not in (0, DAMAGED):
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise DeviceError(f"{session.link.name}: cannot keep {path}: {reason}")
        return done.exit_code == 0

    def _read_back(self, path: str) -> str:
        """SHA-256 of a file of a device that has no tool for it."""
        with tempfile.TemporaryDirectory(prefix="tfkit-verify-") as folder:
            copy = Path(folder, "copy")
            self._session.link.fetch(path, copy, timeout=CHECK_TIMEOUT_S)
            return _sha256(copy)


def _plain_name(name: str) -> str:
    """The name where every shell and tool takes it as it is (a library is looked up by it), else a plain one."""
    return name if _PLAIN.fullmatch(name) else "file"


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while piece := content.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
