"""64-bit Arm cores in qemu's user mode: right answers, meaningless times.

The runner starts through the loader of Debian's Arm cross libraries with their library path, so that no other Arm
libc can mix in (a loader with the libc of another build hangs in pthread_create). qemu looks files up in a prefix
folder first: it holds an Arm-style /proc/cpuinfo, because XNNPACK's cpuinfo crashes on that of an x86 host.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfkit import _native
from tfkit._errors import MissingToolError, UsageError
from tfkit.devices import facts, process
from tfkit.devices.arm_cpus import CPUS, ArmCpu
from tfkit.devices.base import Completed, HostFiles
from tfkit.devices.userland import Userland

INSTALL = "apt-get install -y qemu-user libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross"
SYSROOT = Path("/usr/aarch64-linux-gnu/lib")
LOADER = "ld-linux-aarch64.so.1"
# What libLiteRt.so and the runner link against.
LIBRARIES = (
    LOADER,
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "libstdc++.so.6",
    "libgcc_s.so.1",
)
PROGRAMS = ("qemu-aarch64", "qemu-aarch64-static")


class QemuDevice(HostFiles):
    """One emulated core type; ``options`` are more of qemu's, such as a plugin."""

    platform = _native.ARM64
    times_meaningful = False

    def __init__(self, cpu: ArmCpu, options: Sequence[str] = ()) -> None:
        self.name = f"qemu:{cpu.name}"
        self._cpu = cpu
        self._options = tuple(options)
        self._qemu = program()
        check_libraries()
        self._prefix = tempfile.TemporaryDirectory(prefix="tfkit-qemu-")
        cpuinfo = Path(self._prefix.name, "proc", "cpuinfo")
        cpuinfo.parent.mkdir()
        cpuinfo.write_text(cpu.cpuinfo(os.cpu_count() or 1))

    def run(self, command: Sequence[str], *, timeout: float) -> Completed:
        """Arm programs run emulated, all others (``cat``) as they are on this machine."""
        if not _is_arm(command[0]):
            return process.run(command, timeout=timeout)
        emulator = [self._qemu, "-cpu", self._cpu.name, "-L", self._prefix.name, *self._options]
        loader = [str(SYSROOT / LOADER), "--library-path", str(SYSROOT)]
        # The guest must not obey the loader settings of the host.
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LD_", "QEMU_"))}
        return process.run([*emulator, *loader, *command], timeout=timeout, environment=clean)

    def userland(self) -> Userland:
        """That of Debian's Arm cross libraries, through which every program starts."""
        return Userland("arm64", libc="glibc", libc_version=(2, 36), libstdcxx=(3, 4, 30))

    def properties(self) -> Mapping[str, Any]:
        version = process.run([self._qemu, "--version"], timeout=30).stdout.splitlines()
        emulator = version[0] if version else None
        return {"kind": "qemu", "cpu_model": self._cpu.name, "emulator": emulator, "host": facts.host()}

    def close(self) -> None:
        self._prefix.cleanup()

    def __enter__(self) -> QemuDevice:
        return self


def connect(which: str) -> QemuDevice:
    """Open ``qemu:CPU``.

    Raises:
        UsageError: no CPU given, or one that is not known.
        MissingToolError: qemu-user or the Arm libraries are not installed.
    """
    if not which:
        raise UsageError(f"qemu needs a CPU, for example qemu:cortex-a72. Known: {', '.join(CPUS)}")
    return QemuDevice(CPUS[which])


def program() -> str:
    for name in PROGRAMS:
        found = shutil.which(name)
        if found:
            return found
    raise MissingToolError(f"{PROGRAMS[0]} is not installed; run: {INSTALL}")


def _is_arm(program: str) -> bool:
    """Whether a file is an ELF program for 64-bit Arm (e_machine 183)."""
    try:
        with open(program, "rb") as file:
            start = file.read(20)
    except OSError:
        return False
    return start[:5] == b"\x7fELF\x02" and start[18:20] == (183).to_bytes(2, "little")


def missing_libraries() -> list[str]:
    """The Arm libraries that are not installed."""
    return [name for name in LIBRARIES if not (SYSROOT / name).exists()]


def check_libraries() -> None:
    """Raise ``MissingToolError`` naming the Arm libraries that are not installed, and the command."""
    missing = missing_libraries()
    if missing:
        raise MissingToolError(f"{SYSROOT} lacks {', '.join(missing)}; run: {INSTALL}")
