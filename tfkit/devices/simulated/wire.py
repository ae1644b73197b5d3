"""The device's side of adb's transport: one connection, many streams.

Every message is a header of six little-endian 32-bit words (command, two arguments, payload length, payload sum,
inverted command) and the payload. A stream is opened by the host, has one number on each side, and carries one
unacknowledged write at a time in each direction (AOSP, packages/modules/adb/protocol.txt).
"""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
from collections.abc import Callable, Sequence

HEADER = struct.Struct("<6I")
CNXN, AUTH, OPEN, OKAY, CLSE, WRTE = (
    int.from_bytes(word, "little") for word in (b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"CLSE", b"WRTE")
)
VERSION = 0x01000001  # from here on nobody checks the payload's sum
MAX_PAYLOAD = 1 << 20
AUTH_TOKEN = 1


class Closed(Exception):
    """The other side closed the stream or the connection went away."""


class Stream:
    """One open service; ``read`` and ``write`` block, and raise ``Closed``."""

    def __init__(self, connection: Connection, local: int, remote: int) -> None:
        self._connection, self.local, self.remote = connection, local, remote
        self._arrived: queue.Queue[bytes | None] = queue.Queue()
        self._acknowledged = threading.Semaphore(0)
        self._writing = threading.Lock()
        self._rest = bytearray()
        self.closed = False

    def write(self, data: bytes) -> None:
        with self._writing:
            for start in range(0, len(data), self._connection.max_payload):
                if self.closed:
                    raise Closed
                self._connection.send(WRTE, self.local, self.remote, data[start : start + self._connection.max_payload])
                self._acknowledged.acquire()

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes."""
        while len(self._rest) < count:
            self._rest += self.read_some()
        taken = bytes(self._rest[:count])
        del self._rest[:count]
        return taken

    def read_some(self) -> bytes:
        """What the next message brought."""
        data = self._arrived.get()
        if data is None:
            self._arrived.put(None)
            raise Closed
        return data

    def close(self) -> None:
        if not self.closed:
            self.end()
            with contextlib.suppress(OSError):
                self._connection.send(CLSE, self.local, self.remote)

    def deliver(self, data: bytes) -> None:
        self._arrived.put(data)

    def acknowledge(self) -> None:
        self._acknowledged.release()

    def end(self) -> None:
        """Wake whoever waits; nothing comes any more."""
        self.closed = True
        self._arrived.put(None)
        self._acknowledged.release()


class Connection:
    """One host; ``serve`` handles a service in a thread of its own, ``banner`` is what the device says of itself."""

    def __init__(self, link: socket.socket, banner: Callable[[], str], serve: Callable[[str, Stream], None]) -> None:
        self._link, self._banner, self._serve = link, banner, serve
        self._sending = threading.Lock()
        self._streams: dict[int, Stream] = {}
        self._next = 1
        self.max_payload = 4096

    def send(self, command: int, first: int, second: int, data: bytes = b"") -> None:
        checked = data if command in (CNXN, AUTH) else b""
        header = HEADER.pack(command, first, second, len(data), sum(checked), command ^ 0xFFFFFFFF)
        with self._sending:
            self._link.sendall(header + data)

    def loop(self, answers: Sequence[int]) -> None:
        """Serve until the host leaves or ``close``; ``answers`` are the commands that are obeyed at all."""
        try:
            while True:
                command, first, second, length, _, inverse = HEADER.unpack(self._receive(HEADER.size))
                if inverse != command ^ 0xFFFFFFFF or length > MAX_PAYLOAD:
                    return
                data = self._receive(length)
                if command in answers:
                    self._handle(command, first, second, data)
                elif command in (CNXN, AUTH) and AUTH in answers:
                    self.send(AUTH, AUTH_TOKEN, 0, bytes(20))
        except (Closed, OSError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Drop the link, as a pulled cable does."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()
        for stream in list(self._streams.values()):
            stream.end()

    def _receive(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self._link.recv(count - len(data))
            if not part:
                raise Closed
            data += part
        return bytes(data)

    def _handle(self, command: int, first: int, second: int, data: bytes) -> None:
        if command == CNXN:
            self.max_payload = min(second, MAX_PAYLOAD)
            self.send(CNXN, VERSION, MAX_PAYLOAD, self._banner().encode())
        elif command == OPEN:
            stream = Stream(self, self._next, first)
            self._streams[stream.local] = stream
            self._next += 1
            service = data.rstrip(b"\0").decode(errors="surrogateescape")
            threading.Thread(target=self._run, args=(service, stream), daemon=True).start()
        else:
            self._pass_on(command, first, self._streams.get(second), data)

    def _pass_on(self, command: int, remote: int, stream: Stream | None, data: bytes) -> None:
        if stream is None:
            if command == WRTE:
                self.send(CLSE, 0, remote)
        elif command == WRTE:
            stream.deliver(data)
            self.send(OKAY, stream.local, remote)
        elif command == OKAY:
            stream.acknowledge()
        elif command == CLSE:
            self._streams.pop(stream.local, None)
            stream.close()  # a close is answered by a close

    def _run(self, service: str, stream: Stream) -> None:
        with contextlib.suppress(Closed, OSError):
            self.send(OKAY, stream.local, stream.remote)
            self._serve(service, stream)
        stream.close()
