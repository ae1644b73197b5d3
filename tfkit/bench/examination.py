"""What would spoil a measurement on a device, and what tfkit does about each: ``tfkit devices doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tfkit._errors import TfkitError
from tfkit.bench.bundle import Bundle
from tfkit.devices import cores
from tfkit.devices.base import Device
from tfkit.devices.conditions import Conditions, Surroundings, look
from tfkit.devices.conditions.thermal import STATUS
from tfkit.devices.userland import Userland

Status = Literal["ok", "note", "bad"]
# The bundle with its own C library, a model of a few MB, and room for a second copy while it arrives.
ROOM_BYTES = 64 << 20
HOT_C = 60.0  # of a processor at rest
# Linux' names -> what they are called where they are bought.
FEATURES = {"asimddp": "dotprod", "i8mm": "i8mm", "asimdhp": "fp16", "sve": "SVE", "atomics": "LSE", "avx2": "AVX2"}


@dataclass(frozen=True)
class Point:
    """One thing looked at; ``action`` is what tfkit does about it, or what to do oneself."""

    name: str
    status: Status
    found: str
    action: str


def examine(device: Device) -> list[Point]:
    """Look at everything once; sends no file. Raises ``DeviceError``."""
    points = list(_programs(device, device.userland()))
    if not device.times_meaningful:
        return [*points, Point("clock", "note", "emulated", "only results are checked, no time is reported")]
    now = look(device, folder_of(device))
    points += [*_speed(now), *_state(now)]
    if device.label == "simulated":
        points.append(Point("clock", "note", "simulated device", "every time is marked invalid: it says nothing"))
    return points


def folder_of(device: Device) -> str | None:
    """Where tfkit's files are on the device."""
    folder: str | None = getattr(device, "folder", None)
    return folder


def _programs(device: Device, userland: Userland) -> Iterator[Point]:
    system = f"{userland.abi}, {userland.libc or 'unknown C library'}"
    system += f" {'.'.join(map(str, userland.libc_version))}" if userland.libc_version else ""
    system += f", Android API level {userland.api_level}" if userland.api_level else ""
    system += f", Linux {'.'.join(map(str, userland.kernel))}" if userland.kernel else ""
    try:
        bundle = Bundle.for_device(device)
    except TfkitError as error:
        yield Point("programs", "bad", system, str(error))
        return
    how = "the runner starts through its own loader and glibc" if bundle.libraries else "the runner starts as it is"
    yield Point("programs", "ok", system, f"{how} ({bundle.label})" if bundle.label else how)


def _speed(now: Surroundings) -> Iterator[Point]:
    wanted = [name for key, name in FEATURES.items() if key in now.features]
    yield Point(
        "instructions",
        "ok" if now.features else "note",
        ", ".join(wanted) or ("baseline only" if now.features else "not told"),
        "kernels are chosen by what the core has; the choice is in the result",
    )
    big = cores.big_cluster(now.cores)
    others = len(now.cores) - len(big)
    if not now.cores:
        yield Point("cores", "note", "not told", "threads are not pinned")
    else:
        names = ",".join(str(core.number) for core in big)
        kind = "fastest cores" if others else "all cores alike:"
        yield Point(
            "cores", "ok", f"{kind} {names} (mask {cores.mask(big)}) of {len(now.cores)}", "threads are pinned to them"
        )
    governors = sorted({core.governor for core in big if core.governor})
    if not governors:
        yield Point("governor", "note", "not told", "speed changes show only in the spread and the canary")
    elif governors == ["performance"]:
        yield Point("governor", "ok", "performance", "nothing to do")
    elif all(core.settable for core in big):
        yield Point(
            "governor", "note", ", ".join(governors), "may be set: set it to performance before publishing figures"
        )
    else:
        yield Point("governor", "note", ", ".join(governors), "may not be set; time per frequency is recorded instead")


def _state(now: Surroundings) -> Iterator[Point]:
    yield _heat(now)
    battery, load = now.conditions.battery, now.conditions.load
    if battery is not None:
        level = "" if battery.percent is None else f", {battery.percent} %"
        yield Point(
            "power",
            "note" if battery.charging else "ok",
            f"{'charging' if battery.charging else 'on battery'}{level}",
            "energy is not measured while charging" if battery.charging else "energy can be measured",
        )
    if now.free_bytes is not None:
        enough = now.free_bytes >= ROOM_BYTES
        yield Point(
            "room",
            "ok" if enough else "bad",
            f"{now.free_bytes / 2**20:.0f} MiB free",
            "files are kept there between runs" if enough else f"free {ROOM_BYTES >> 20} MiB",
        )
    if load is not None:
        busy = load > 1.0
        yield Point(
            "load",
            "note" if busy else "ok",
            f"{load:.2f} tasks in the last minute",
            "end what else runs; the canary and the spread will show it" if busy else "nothing to do",
        )


def _heat(now: Surroundings) -> Point:
    action = "a run waits until it has cooled down"
    if now.throttled:
        return Point(
            "heat", "bad", f"throttled or under-voltage (0x{now.throttled:x})", "use a stronger supply, cool it"
        )
    status, warmest = now.conditions.thermal.status, _warmest(now.conditions)
    told = "" if warmest is None else f"{warmest[0]} {warmest[1]:.0f} C"
    if status is not None:
        found = f"Android says {STATUS[status]}" + (f", {told}" if told else "")
        return Point("heat", "bad" if status else "ok", found, action if status else "watched before each process")
    if warmest is None:
        return Point("heat", "note", "no source", "only the canary tells a throttled core")
    hot = warmest[1] >= HOT_C
    return Point("heat", "bad" if hot else "ok", told, action if hot else "watched before each process")


def _warmest(now: Conditions) -> tuple[str, float] | None:
    """The hottest sensor by its own name, and its temperature."""
    celsius = now.thermal.celsius
    name = max(celsius, key=celsius.__getitem__, default=None)
    return None if name is None else (name.partition(":")[2] or name, celsius[name])
