"""What is put on a device, and how the runner is started there.

On a device whose own C library is new enough the runner starts as it is. On Android, which has another C library, and
on old boards it starts through a loader and a glibc of its own, which travel with it; results carry the label
``glibc bundle`` then. A phone for whose C library the user has built tfkit is given that instead (``bionic build``).
Which it is, and whether the device can run tfkit at all, is known before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tfkit import _native
from tfkit._errors import DeviceError, UnsupportedError
from tfkit.bench import bionic
from tfkit.bench.artifacts import Artifacts, sha256
from tfkit.devices import Device
from tfkit.devices.qemu import LIBRARIES, LOADER, SYSROOT, check_libraries
from tfkit.devices.userland import Userland, Version

LABEL = "glibc bundle"
# What libLiteRt.so links against (the newest of its symbol versions).
GLIBC: Mapping[str, Version] = {_native.ARM64: (2, 34), "linux-x86_64": (2, 27)}
LIBSTDCXX: Version = (3, 4, 30)
# Debian's glibc for arm64 refuses to start on older kernels ("FATAL: kernel too old").
OLDEST_KERNEL: Version = (3, 7)


@dataclass
class Bundle:
    """The files of one device; ``libraries`` is empty where the device's own C library serves.

    ``label`` goes beside results: None where tfkit's own build for the platform starts as it is.
    """

    artifacts: Artifacts
    libraries: tuple[Path, ...] = ()
    label: str | None = None
    _there: dict[Path, str] = field(default_factory=dict, repr=False)

    @classmethod
    def for_device(cls, device: Device) -> Bundle:
        """Decide what ``device`` needs; sends nothing.

        Raises:
            UnsupportedError: 32-bit userland, an x86 phone, too old a kernel; says what was found and what is needed.
            MissingToolError: something for the device is not installed here.
        """
        if device.name == "local":  # tfkit was installed for it
            return cls(Artifacts.for_platform(device.platform))
        userland = device.userland()
        check(device.name, userland)
        if serves(userland, device.platform):
            return cls(Artifacts.for_platform(device.platform))
        if built := bionic.installed(userland):
            return cls(built, label=bionic.LABEL)
        if userland.kernel and userland.kernel < OLDEST_KERNEL:
            raise UnsupportedError(
                f"{device.name} runs Linux {_text(userland.kernel)}; the C library that tfkit brings needs "
                f"{_text(OLDEST_KERNEL)} or newer. Update the device"
            )
        check_libraries()
        return cls(Artifacts.for_platform(device.platform), tuple(SYSROOT / name for name in LIBRARIES), LABEL)

    def push(self, device: Device) -> None:
        """Bring every file to ``device``; those that are in its cache are not sent again. Raises ``DeviceError``."""
        for file in (*self.libraries, self.artifacts.litert, self.artifacts.delegate, self.artifacts.runner):
            self._there[file] = device.push(file)

    def command(self, flags: Sequence[str], *, with_delegate: bool = False) -> list[str]:
        """The command that starts the pushed runner, with ``--litert`` and if asked ``--delegate`` given."""
        runner = [self.on_device(self.artifacts.runner), "--litert", self.on_device(self.artifacts.litert)]
        if with_delegate:
            runner += ["--delegate", self.on_device(self.artifacts.delegate)]
        return [*self.starter(), *runner, *flags]

    def starter(self) -> list[str]:
        """What stands before a program of the bundle: the loader and its library path, or nothing."""
        if not self.libraries:
            return []
        there = {file.name: self.on_device(file) for file in self.libraries}
        folders = dict.fromkeys(str(PurePosixPath(path).parent) for path in there.values())
        return [there[LOADER], "--library-path", ":".join(folders)]

    def on_device(self, file: Path) -> str:
        """Where a file of the bundle is on the device it was pushed to."""
        if file not in self._there:
            raise DeviceError(f"{file.name} is not on the device; call push first")
        return self._there[file]

    def provenance(self) -> dict[str, str | None]:
        """SHA-256 of each file, LiteRT's version, the label."""
        own = {f"{file.name}_sha256": sha256(file) for file in self.libraries}
        return {**self.artifacts.provenance(), **own, "label": self.label}


def check(name: str, userland: Userland) -> None:
    """Raise ``UnsupportedError`` for a device that tfkit has no binaries for; says what it is and what would do."""
    if userland.abi == "arm32":
        raise UnsupportedError(
            f"{name} has a 32-bit Arm userland; tfkit's binaries are 64-bit. Where the processor is 64-bit (Cortex-A53 "
            "and later) install the 64-bit system image, for example the 64-bit Raspberry Pi OS"
        )
    if userland.android and userland.abi != "arm64":
        raise UnsupportedError(
            f"{name} is an Android device with {userland.abi} processors; tfkit measures 64-bit Arm phones (arm64-v8a)"
        )
    if userland.abi not in ("arm64", "x86_64"):
        raise UnsupportedError(f"{name} is {userland.abi}; tfkit has binaries for 64-bit Arm and x86-64")
    if userland.abi == "x86_64" and not serves(userland, "linux-x86_64"):
        raise UnsupportedError(
            f"{name} is x86-64 with {userland.libc or 'an unknown C library'} {_text(userland.libc_version)}; "
            f"libLiteRt.so needs glibc {_text(GLIBC['linux-x86_64'])} or newer there"
        )


def serves(userland: Userland, platform: str) -> bool:
    """Whether the device's own C and C++ libraries are new enough for libLiteRt.so."""
    if userland.libc != "glibc" or userland.libc_version < GLIBC.get(platform, (2, 34)):
        return False
    return platform != _native.ARM64 or userland.libstdcxx >= LIBSTDCXX


def _text(version: Version) -> str:
    return ".".join(map(str, version)) or "(version unknown)"
