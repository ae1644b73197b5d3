"""adb's file service: stat, list, send and receive (AOSP, packages/modules/adb/SYNC.TXT and file_sync_protocol.h)."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tfkit.devices.simulated.wire import Stream

CHUNK = 64 * 1024
_STAT2 = struct.Struct("<4sIQQIIIIQqqq")  # 72 bytes: error, dev, inode, mode, links, uid, gid, size, times
_MASK = (1 << 64) - 1


class Files(Protocol):
    """The device's files as the service sees them."""

    def locate(self, path: str) -> Path:
        """The host's path of a path on the device."""

    def arriving(self, path: str, data: bytes) -> bytes:
        """Called with each piece of a pushed file; returns what is stored. ``OSError`` fails the push."""


def serve(stream: Stream, files: Files) -> None:
    """Answer requests until the host quits; raises ``Closed`` when it goes away."""
    requests: dict[bytes, Callable[[str], None]] = {
        b"STAT": lambda path: stream.write(_stat1(b"STAT", files.locate(path))),
        b"STA2": lambda path: stream.write(_stat2(b"STA2", files.locate(path), follow=True)),
        b"LST2": lambda path: stream.write(_stat2(b"LST2", files.locate(path), follow=False)),
        b"LIST": lambda path: _list(stream, files.locate(path), version=1),
        b"LIS2": lambda path: _list(stream, files.locate(path), version=2),
        b"RECV": lambda path: _receive(stream, files.locate(path)),
        b"RCV2": lambda path: _receive2(stream, files.locate(path)),
        b"SEND": lambda path: _send(stream, files, path.rpartition(",")[0], int(path.rpartition(",")[2])),
        b"SND2": lambda path: _send(stream, files, path, struct.unpack("<4sII", stream.read(12))[1]),
    }
    while True:
        tag, length = struct.unpack("<4sI", stream.read(8))
        path = stream.read(length).decode(errors="surrogateescape")
        if tag == b"QUIT":
            return
        if tag not in requests:
            _fail(stream, f"unknown request {tag!r}")
            return
        requests[tag](path)


def _stat1(tag: bytes, path: Path) -> bytes:
    try:
        found = path.lstat()
    except OSError:
        return tag + bytes(12)
    return tag + struct.pack("<III", found.st_mode, found.st_size & 0xFFFFFFFF, int(found.st_mtime))


def _stat2(tag: bytes, path: Path, *, follow: bool) -> bytes:
    try:
        s = path.stat() if follow else path.lstat()
    except OSError as error:
        return _STAT2.pack(tag, error.errno or 0, *([0] * 10))
    times = (int(s.st_atime), int(s.st_mtime), int(s.st_ctime))
    owner = (0, 0)
    return _STAT2.pack(tag, 0, s.st_dev & _MASK, s.st_ino, s.st_mode, s.st_nlink, *owner, s.st_size, *times)


def _list(stream: Stream, folder: Path, version: int) -> None:
    try:
        names = [".", "..", *sorted(os.listdir(folder))]
    except OSError:
        names = []
    for name in names:
        encoded = os.fsencode(name)
        entry = folder / name
        head = _stat1(b"DENT", entry) if version == 1 else _stat2(b"DNT2", entry, follow=False)
        stream.write(head + struct.pack("<I", len(encoded)) + encoded)
    stream.write(b"DONE" + bytes(16 if version == 1 else 72))


def _receive2(stream: Stream, path: Path) -> None:
    stream.read(8)  # the request again, with flags of compressions that are not offered
    _receive(stream, path)


def _receive(stream: Stream, path: Path) -> None:
    try:
        with path.open("rb") as file:
            while data := file.read(CHUNK):
                stream.write(b"DATA" + struct.pack("<I", len(data)) + data)
    except OSError as error:
        _fail(stream, f"open failed: {error.strerror}")
    else:
        stream.write(b"DONE" + bytes(4))


def _send(stream: Stream, files: Files, path: str, mode: int) -> None:
    """Take a pushed file or link. After a failure the rest is read all the same, since the host goes on sending."""
    target = files.locate(path)
    failure: OSError | None = None
    link = b""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        file = None if stat.S_ISLNK(mode) else target.open("wb")
    except OSError as error:
        failure, file = error, None
    with contextlib.ExitStack() as stack:
        if file is not None:
            stack.enter_context(file)
        while True:
            tag, length = struct.unpack("<4sI", stream.read(8))
            if tag != b"DATA":
                break
            data = stream.read(length)
            try:
                if file is None:
                    link += data
                elif failure is None:
                    file.write(files.arriving(path, data))
            except OSError as error:
                failure = error
    if failure is not None:
        target.unlink(missing_ok=True)
        _fail(stream, f"couldn't write: {failure.strerror}")
        return
    if file is None:
        target.symlink_to(os.fsdecode(link.rstrip(b"\0")))
    else:
        target.chmod(stat.S_IMODE(mode) or 0o644)
        os.utime(target, (length, length))  # DONE carries the time of change where DATA has a length
    stream.write(b"OKAY" + bytes(4))


def _fail(stream: Stream, reason: str) -> None:
    text = reason.encode()
    stream.write(b"FAIL" + struct.pack("<I", len(text)) + text)
