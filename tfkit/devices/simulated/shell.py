"""adb's shell services: ``shell:``, ``shell,v2:`` and ``exec:`` (AOSP, packages/modules/adb/shell_protocol.h).

Version 2 frames the streams in packets of a kind, a length and data, and ends with the exit code. Before it, and in
``exec:``, both outputs come as one and there is no exit code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import threading
from collections.abc import Callable
from typing import IO

from tfkit.devices.simulated.wire import Closed, Stream

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN = range(5)
_PACKET = struct.Struct("<BI")
_PIECE = 64 * 1024

# A command, and whether standard error is a stream of its own -> the started process, leader of its group.
Start = Callable[[str, bool], "subprocess.Popen[bytes]"]


def serve(service: str, stream: Stream, start: Start) -> None:
    """Run the service's command to its end; a host that goes away hangs it up (SIGHUP), as adbd does."""
    head, _, command = service.partition(":")
    framed = "v2" in head.split(",")
    process = start(command or "sh", framed)
    assert process.stdin is not None
    assert process.stdout is not None
    threading.Thread(target=_feed, args=(stream, process, framed), daemon=True).start()
    outputs = [(process.stdout, STDOUT)] + ([(process.stderr, STDERR)] if process.stderr is not None else [])
    pumps = [threading.Thread(target=_pump, args=(stream, *output, framed), daemon=True) for output in outputs]
    for pump in pumps:
        pump.start()
    for pump in pumps:
        pump.join()
    code = process.wait()
    if framed:
        stream.write(_packet(EXIT, bytes([code if code >= 0 else 128 - code])))


def _packet(kind: int, data: bytes) -> bytes:
    return _PACKET.pack(kind, len(data)) + data


def _pump(stream: Stream, output: IO[bytes], kind: int, framed: bool) -> None:
    with output, contextlib.suppress(Closed, OSError):
        while data := os.read(output.fileno(), _PIECE):
            stream.write(_packet(kind, data) if framed else data)


def _feed(stream: Stream, process: subprocess.Popen[bytes], framed: bool) -> None:
    """Standard input, until the host closes the stream."""
    assert process.stdin is not None
    try:
        while True:
            if not framed:
                _give(process.stdin, stream.read_some())
                continue
            kind, length = _PACKET.unpack(stream.read(_PACKET.size))
            data = stream.read(length)
            if kind == STDIN:
                _give(process.stdin, data)
            elif kind == CLOSE_STDIN:
                with contextlib.suppress(OSError):
                    process.stdin.close()
    except Closed:
        with contextlib.suppress(ProcessLookupError):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGHUP)
        with contextlib.suppress(OSError):
            process.stdin.close()


def _give(pipe: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):  # the command does not read its input
        pipe.write(data)
        pipe.flush()
