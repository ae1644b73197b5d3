"""A board for tests: a real sshd on loopback whose logins end up in a simulated 64-bit Arm machine."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from tfkit.devices.simulated.machine import Machine

INSTALL = "apt-get install -y openssh-server"


class SshBoard:
    """``spec`` is what ``--device`` takes while ``bin`` stands first on PATH: its ssh reads a configuration of ours."""

    def __init__(self, *, glibc: bool = True, machine: str = "aarch64", kernel: str = "6.1.21-v8+") -> None:
        sshd = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert sshd, f"sshd is missing; install it with: {INSTALL}"
        self.machine = Machine(glibc=glibc, machine=machine, kernel=kernel)
        self.machine.state("label", "simulated")
        self._folder = tempfile.TemporaryDirectory(prefix="tfkit-sshd-")
        folder = Path(self._folder.name)
        for name in ("host", "user"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        shutil.copy(folder / "user.pub", folder / "authorized")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin yes\n"
            f'ForceCommand {shlex.quote(str(self.machine.sandbox.enter))} "$SSH_ORIGINAL_COMMAND"\n'
        )
        self.known_hosts = folder / "known_hosts"
        self.trust(folder / "host.pub")
        (folder / "ssh_config").write_text(
            f"Host board\n  HostName 127.0.0.1\n  Port {self.port}\n  User {getpass.getuser()}\n"
            f"Host *\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
        )
        self.bin = folder / "bin"
        self.bin.mkdir()
        wrapper = self.bin / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
        wrapper.chmod(0o755)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd gives its privileges up
        self._log = folder / "log"
        self._sshd = subprocess.Popen([sshd, "-D", "-f", str(folder / "sshd_config"), "-E", str(self._log)])
        self._wait()
        self.spec = "ssh:board"

    def trust(self, key: Path) -> None:
        """Accept this host key for the board."""
        kind, value = key.read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {value}\n")

    def forbid_keys(self) -> None:
        """Let nobody in any more."""
        Path(self._folder.name, "authorized").write_text("")

    def stop_server(self) -> None:
        """No new connection is taken."""
        self._sshd.terminate()
        self._sshd.wait()

    def __enter__(self) -> SshBoard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_server()
        self.machine.close()
        self._folder.cleanup()

    def _wait(self) -> None:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self._sshd.poll() is None, self._log.read_text()
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"sshd does not listen: {self._log.read_text()}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=60, capture_output=True)
