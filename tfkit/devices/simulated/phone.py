"""A phone that the real ``adb`` program connects to, over TCP on the loopback interface."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tfkit.devices.simulated import commands, peer, shell, sync, wire
from tfkit.devices.simulated.faults import Faults
from tfkit.devices.simulated.hardware import Cluster
from tfkit.devices.simulated.machine import Machine

FEATURES = "cmd,stat_v2,ls_v2,fixed_push_mkdir,fixed_push_symlink_timestamp,sendrecv_v2"
EVERYTHING = (wire.CNXN, wire.OPEN, wire.OKAY, wire.WRTE, wire.CLSE)
PROPERTIES = {
    "ro.product.name": "tfkit_simulated",
    "ro.product.manufacturer": "tfkit",
    "ro.product.model": "Simulated phone",
    "ro.product.device": "simulated",
    "ro.product.cpu.abi": "arm64-v8a",
    "ro.product.cpu.abilist": "arm64-v8a",
    "ro.build.version.sdk": "33",
    "ro.build.version.release": "13",
    "ro.soc.model": "SIM8550",
    "ro.hardware": "simulated",
    "ro.tfkit.simulated": "1",
}


class Phone(Machine):
    """A simulated Android phone; ``serial`` is what adb calls it, ``spec`` what tfkit calls it.

        with Phone() as phone:
            phone.set_battery(charging=True)
            phone.faults.free_bytes = 1_000_000
            subprocess.run(["tfkit", "bench", "m.tflite", "--device", phone.spec])

    Args:
        properties: what ``getprop`` says, over ``PROPERTIES``.
        cpu, clusters, kernel, machine, rooted, way: see ``Machine``.
        port: to listen on; 0 takes a free one.

    Raises:
        MissingToolError: this machine lacks a tool, or lets no simulated device run; says what to do.
    """

    def __init__(
        self,
        properties: Mapping[str, str] | None = None,
        *,
        cpu: str = "cortex-a76",
        clusters: Sequence[Cluster] | None = None,
        kernel: str = "5.15.104-android13",
        machine: str = "aarch64",
        rooted: bool = False,
        way: str | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(cpu=cpu, clusters=clusters, kernel=kernel, machine=machine, rooted=rooted, way=way)
        self.properties = {**PROPERTIES, **(properties or {})}
        self.faults = Faults()
        self.commands: list[str] = []
        """Every shell command that arrived."""
        self.pushed: list[str] = []
        """The path of every file that arrived."""
        self._replies: list[tuple[re.Pattern[str], str, int]] = []
        self._links: list[wire.Connection] = []
        self._arrived = 0
        commands.install_android(self.root, self.properties)
        self.set_battery()
        self._free: int | None = -1
        try:
            self._listener = socket.create_server(("127.0.0.1", port))
        except OSError:
            self.close()
            raise
        self.port: int = self._listener.getsockname()[1]
        self.serial = f"127.0.0.1:{self.port}"
        self.spec = f"adb:{self.serial}"
        threading.Thread(target=self._accept, daemon=True).start()

    def reply(self, pattern: str, stdout: str, exit_code: int = 0) -> None:
        """Answer commands in which the regular expression is found with this, instead of running them."""
        self._replies.append((re.compile(pattern, re.DOTALL), stdout, exit_code))

    def disconnect(self) -> None:
        """Break the link; adb finds the phone again by itself, or by ``adb connect``."""
        for link in list(self._links):
            link.close()

    def reboot(self, seconds: float = 0.0) -> None:
        """End every process, break the link, and be away for a while; files stay."""
        was, self.faults.offline = self.faults.offline, True
        self.sandbox.kill_all()
        self.disconnect()
        self.boot()
        time.sleep(seconds)
        self.faults.offline = was

    def close(self) -> None:
        """End it: nothing of it stays behind, neither process nor file."""
        if hasattr(self, "_listener"):
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.disconnect()
        super().close()

    def __enter__(self) -> Phone:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What the file service asks of ``Files``.
    def locate(self, path: str) -> Path:
        return self.sandbox.locate(path)

    def arriving(self, path: str, data: bytes) -> bytes:
        self._arrived += len(data)
        limit = self.faults.drop_push_after
        if limit is not None and self._arrived > limit:
            self.faults.drop_push_after = None
            self.disconnect()
        if not self.pushed or self.pushed[-1] != path:
            self.pushed.append(path)
        return self.faults.store(data)

    def _accept(self) -> None:
        while True:
            try:
                link, address = self._listener.accept()
            except OSError:
                return
            if not peer.is_ours(address, self.port):
                link.close()
                continue
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = wire.Connection(link, self._banner, self._serve)
            self._links.append(connection)
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: wire.Connection) -> None:
        answers: tuple[int, ...] = EVERYTHING
        if self.faults.unauthorized:
            answers = (wire.AUTH,)
        elif self.faults.offline:
            answers = ()
        connection.loop(answers)
        self._links.remove(connection)

    def _banner(self) -> str:
        named = (
            f"{key}={self.properties[key]}" for key in ("ro.product.name", "ro.product.model", "ro.product.device")
        )
        features = FEATURES if self.faults.no_shell_v2 else f"shell_v2,{FEATURES}"
        return f"device::{';'.join(named)};features={features}"

    def _serve(self, service: str, stream: wire.Stream) -> None:
        if service == "sync:":
            self._arrived = 0
            sync.serve(stream, self)
        elif service.startswith(("shell", "exec:")):
            shell.serve(service, stream, self._start)

    def _start(self, command: str, separate: bool) -> subprocess.Popen[bytes]:
        self.commands.append(command)
        self._apply_faults()
        for pattern, stdout, code in self._replies:
            if pattern.search(command):
                command = f"printf %s {_quoted(stdout)}; exit {code}"
                break
        if self.faults.hang_command is not None and self.faults.hang_command in command:
            command = "sleep 100000"
        if self.faults.drop_command is not None and self.faults.drop_command in command:
            self.faults.drop_command = None
            threading.Timer(self.faults.drop_after, self.disconnect).start()
        return self.sandbox.start(command, separate=separate)

    def _apply_faults(self) -> None:
        denied = self.root / "system/etc/simulated/exec-denied"
        if self.faults.exec_denied:
            denied.touch()
        else:
            denied.unlink(missing_ok=True)
        if self._free != self.faults.free_bytes:
            self._free = self.faults.free_bytes
            commands.install_df(self.root, 64 << 30 if self._free is None else self._free)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
