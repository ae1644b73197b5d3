"""How commands enter the device's file tree: three ways, the first that this machine allows is taken.

1. ``namespace``: a user and mount namespace with the tree as its root. The host's /proc and /dev are there, with the
   device's own /proc/cpuinfo. Needs no privilege where the kernel allows user namespaces.
2. ``chroot``: for root in a container that forbids namespaces. /proc holds only the scripted files, so that memory
   figures and the cleaning up of lost programs are not to be had.
3. ``proot`` (a Debian package): for ordinary users where namespaces are forbidden; slower, through ptrace. It starts
   qemu itself, so that ``Faults.exec_denied`` does nothing, and shows the host's files under /host-rootfs.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import stat
import subprocess
import uuid
from pathlib import Path

from tfkit._errors import MissingToolError, UsageError
from tfkit.devices import qemu
from tfkit.devices.simulated.tree import which

WAYS = ("namespace", "chroot", "proot")
MARK = "TFKIT_SIMULATED"
# Scripted files that lie over the host's; all others of /proc are the host's.
PROC_FILES = ("cpuinfo", "loadavg", "version", "sys/kernel/random/boot_id")

# The kernel's words for "64-bit Arm programs are started by /bin/sh" (Documentation/admin-guide/binfmt-misc.rst).
_ARM_PROGRAM = (
    r":aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/bin/sh:"
)

_NAMESPACE = """#!/bin/sh
# Runs a command (the argument) in the simulated device.
exec {unshare} -Urm /bin/sh -c '
set -e
mount --rbind /proc "$2/proc"
mount --rbind /dev "$2/dev"
for f in {files}; do mount --bind "$2/system/etc/simulated/proc/$f" "$2/proc/$f"; done
if [ ! -e "$2/system/etc/simulated/rooted" ]; then
  mount --bind "$2/sys" "$2/sys"
  mount -o remount,bind,ro "$2/sys"
fi
mkdir -p "$2/system/lib/formats"
if mount -t binfmt_misc none "$2/system/lib/formats" 2>/dev/null; then
  printf %s "$3" > "$2/system/lib/formats/register"
fi
exec {env} -i {environment} {chroot} "$2" /system/bin/sh -c "$1"' sh "$1" {root} '{arm_program}'
"""
_CHROOT = """#!/bin/sh
exec {env} -i {environment} {chroot} {root} /system/bin/sh -c "$1"
"""
_PROOT = """#!/bin/sh
exec {env} -i PROOT_NO_SECCOMP=1 {environment} {proot} -q {emulator} -r {root} -b /proc -b /dev {binds} -w / \\
  /system/bin/sh -c "$1"
"""


class Sandbox:
    """A tree that commands can be run in; ``way`` is one of ``WAYS``."""

    def __init__(self, root: Path, cpu: str, way: str | None) -> None:
        self.root, self._cpu = root, cpu
        self.mark = uuid.uuid4().hex
        self.enter = root.with_name(f"{root.name}.enter")  # a program: runs its argument as a shell command
        if way is not None and way not in WAYS:
            raise UsageError(f"a simulated device is entered by {', '.join(WAYS)}; got {way!r}")
        refused = []
        for candidate in WAYS if way is None else (way,):
            reason = self._try(candidate)
            if reason is None:
                self.way = candidate
                return
            refused.append(f"{candidate}: {reason}")
        raise MissingToolError(
            f"this machine lets no simulated device run ({'; '.join(refused)}). Allow user namespaces "
            "(sysctl kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu 24.04, "
            "--security-opt seccomp=unconfined in Docker), or run: apt-get install -y proot"
        )

    def start(self, command: str, *, separate: bool) -> subprocess.Popen[bytes]:
        """Start a shell command in a process group of its own; ``separate`` keeps standard error apart."""
        return subprocess.Popen(
            [str(self.enter), command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if separate else subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
        )

    def kill_all(self) -> None:
        """End everything that was ever started in the tree, detached or not, as a reboot does."""
        wanted = f"{MARK}={self.mark}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:  # another user's, or gone
                continue

    def locate(self, path: str) -> Path:
        """The host's path of ``path`` on the device; links are followed inside the tree, never out of it."""
        parts = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        at: list[str] = []
        for _ in range(4096):
            if not parts:
                break
            part = parts.pop()
            if part == "..":
                at = at[:-1]
                continue
            here = self.root.joinpath(*at, part)
            if parts and here.is_symlink():
                target = os.readlink(here)
                at = [] if target.startswith("/") else at
                parts += [piece for piece in reversed(target.split("/")) if piece not in ("", ".")]
            else:
                at.append(part)
        return self.root.joinpath(*at)

    def _try(self, way: str) -> str | None:
        """Write the way's entry and try it; returns why it does not work here."""
        tools = {name: which(name) for name in ("unshare", "env", "chroot", "proot")}
        needed = {"namespace": ["unshare", "chroot"], "chroot": ["chroot"], "proot": ["proot"]}[way]
        lacking = [name for name in needed if tools[name] is None]
        if lacking:
            return f"no program {lacking[0]}"
        if way == "chroot":
            self._plain_devices()
        elif (self.root / "dev/null").exists():
            shutil.rmtree(self.root / "dev")
            (self.root / "dev").mkdir()
        self._write(way, tools)
        done = subprocess.run(
            [str(self.enter), "head -c 1 /proc/cpuinfo >/dev/null && echo works"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
            cwd="/",
        )
        if done.stdout == "works\n":
            return None
        return (done.stderr.strip().splitlines() or ["it says nothing"])[-1]

    def _write(self, way: str, tools: dict[str, str | None]) -> None:
        template = {"namespace": _NAMESPACE, "chroot": _CHROOT, "proot": _PROOT}[way]
        scripted = self.root / "system/etc/simulated/proc"
        for name in PROC_FILES:
            place = self.root / "proc" / name
            place.unlink(missing_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            if way == "chroot":
                place.symlink_to(f"/system/etc/simulated/proc/{name}")
            elif way == "namespace":
                place.touch()
        environment = {
            "PATH": "/system/bin",
            "HOME": "/",
            "TMPDIR": "/data/local/tmp",
            "ANDROID_DATA": "/data",
            "LC_ALL": "C.UTF-8",
            MARK: self.mark,
        }
        self.enter.write_text(
            template.format(
                root=shlex.quote(str(self.root)),
                arm_program=_ARM_PROGRAM,
                emulator=shlex.quote(f"{qemu.program()} -cpu {self._cpu}"),
                files=" ".join(PROC_FILES),
                binds=" ".join(f"-b {shlex.quote(f'{scripted}/{name}:/proc/{name}')}" for name in PROC_FILES),
                environment=" ".join(f"{key}={value}" for key, value in environment.items()),
                **{name: found or name for name, found in tools.items()},
            )
        )
        self.enter.chmod(0o755)

    def _plain_devices(self) -> None:
        folder = self.root / "dev"
        for name, minor in (("null", 3), ("zero", 5), ("urandom", 9)):
            if not (folder / name).exists():
                try:
                    os.mknod(folder / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
                except OSError:  # as an ordinary user; an ordinary file takes what is thrown away
                    (folder / name).touch()
