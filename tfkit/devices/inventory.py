"""Every device that can be named right now, with what to do for those that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tfkit._errors import TfkitError
from tfkit.devices import qemu
from tfkit.devices.adb import listing
from tfkit.devices.arm_cpus import CPUS


@dataclass(frozen=True)
class Entry:
    """``spec`` is what ``--device`` takes; ``advice`` is None for a device that is ready."""

    spec: str
    what: str
    advice: str | None = None


def entries() -> Iterator[Entry]:
    """This machine, emulated cores, attached Android devices, and how a board is given. Raises nothing."""
    yield Entry("local", "this machine")
    try:
        qemu.program()
        qemu.check_libraries()
        advice = None
    except TfkitError as error:
        advice = str(error)
    for name in CPUS:
        yield Entry(f"qemu:{name}", "emulated 64-bit Arm core: results, no times", advice)
    try:
        found = listing.attached()
    except TfkitError as error:
        yield Entry("adb", "Android devices", str(error))
    else:
        for one in found:
            yield Entry(f"adb:{one.serial}", one.model or "Android device", one.advice)
        if not found:
            yield Entry("adb", "no Android device is attached", "plug one in with USB debugging on, or adb:HOST:PORT")
    yield Entry("ssh:[user@]host[:port]", "any 64-bit Linux board that ssh reaches without a password")
