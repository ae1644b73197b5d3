"""Power while nothing runs, power while the model runs; the difference, over the runs, is what one run costs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tfkit._errors import DeviceError, UnsupportedError
from tfkit.bench import document
from tfkit.bench.energy.source import Reading, Source
from tfkit.bench.energy.sources import SOURCES
from tfkit.bench.measure import Bench
from tfkit.bench.result import Result
from tfkit.bench.runner import START_SECONDS, needs_delegate
from tfkit.bench.subject import Subject
from tfkit.devices import Device
from tfkit.devices.conditions import read

IDLE_SECONDS = 60
LOOP_SECONDS = 60.0
INTERVAL_SECONDS = 1
_SEPARATOR = "tfkit-reading"
_READ = f'read up rest < /proc/uptime; echo "{_SEPARATOR} $up"; grep -sH "" $files'
# The files, expanded by the shell; how many readings; the pause between two.
_SAMPLER = f'files=$1; i=0; while [ "$i" -lt "$2" ]; do {_READ}; i=$((i + 1)); sleep "$3"; done; {_READ}; true'
# The files, the pause, then the runner's command, beside which the sampler writes to the standard error stream.
_BESIDE = (
    f'files=$1; pause=$2; shift 2; (while :; do {{ {_READ}; }} >&2; sleep "$pause"; done) & sampler=$!; '
    '"$@"; code=$?; kill "$sampler"; exit "$code"'
)


def measure(bench: Bench, subject: Subject, threads: int, result: Result) -> dict[str, Any]:
    """JSON-ready: ``source``, ``idle_watts``, ``loop_watts``, ``runs``, ``joules_per_run``, and both lists of readings.

    Raises:
        UnsupportedError: the device charges, or has no source.
        DeviceError: the readings make no sense, or the model takes less than nothing.
    """
    source = find(bench.device)
    refuse_charging(bench, source)
    idle = list(readings(_sample(bench.device, source)))
    loop = replace(bench.preset, runs=1, min_seconds=LOOP_SECONDS, max_seconds=LOOP_SECONDS, max_runs=10_000_000)
    flags = [*bench.flags(subject, threads), *loop.flags()]
    command = bench.bundle.command(flags, with_delegate=needs_delegate(subject))
    beside = ["sh", "-c", _BESIDE, "sh", " ".join(source.globs), str(INTERVAL_SECONDS), *command]
    done = bench.device.run(beside, timeout=START_SECONDS + loop.longest_seconds)
    where = f"{subject.path} on {bench.device.name}"
    try:
        answer = document.check(json.loads(done.stdout), where)
    except ValueError as error:
        raise DeviceError(f"{where}: no result of the energy loop (exit code {done.exit_code})") from error
    refuse_charging(bench, source)
    return summary(source, idle, _steady(list(readings(done.stderr)), answer), answer)


def find(device: Device) -> Source:
    """The first source that works on ``device``. Raises ``UnsupportedError`` when there is none."""
    for source in SOURCES:
        text = device.run(["sh", "-c", f"grep -sH '' {' '.join(source.globs)}; true"], timeout=30).stdout
        if source.find(_files(text.splitlines())):
            return source
    names = ", ".join(source.name for source in SOURCES)
    raise UnsupportedError(f"{device.name} tells nothing about its energy; looked for {names}. Measure with a meter")


def refuse_charging(bench: Bench, source: Source) -> None:
    """Raise ``UnsupportedError`` while energy flows into the battery, whose gauge then shows the charger.

    A charger also heats a phone, whatever its source is; the rails of a board or a computer do not care.
    """
    battery = read(bench.device).battery
    phone = bench.device.properties().get("kind") == "adb"
    if (source.drains or phone) and battery is not None and battery.charging:
        raise UnsupportedError(
            f"{bench.device.name} is charging ({battery.status}), so it cannot tell what a model takes; unplug it (a "
            "phone: adb tcpip 5555, adb connect ADDRESS, pull the cable). dumpsys battery unplug only pretends to"
        )


def readings(text: str) -> Iterator[Reading]:
    """What the sampler wrote; lines of others among it are left out."""
    seconds: float | None = None
    lines: list[str] = []
    for line in [*text.splitlines(), f"{_SEPARATOR} end"]:
        if not line.startswith(_SEPARATOR):
            lines.append(line)
            continue
        if seconds is not None:
            yield Reading(seconds, _files(lines))
        lines = []
        try:
            seconds = float(line.removeprefix(_SEPARATOR))
        except ValueError:
            seconds = None


def summary(
    source: Source, idle: Sequence[Reading], loop: Sequence[Reading], answer: Mapping[str, Any]
) -> dict[str, Any]:
    """From readings and the runner's document to joules per run."""
    for name, found in (("idle", idle), ("loop", loop)):
        if len(found) < 2 or found[-1].seconds <= found[0].seconds:
            raise DeviceError(f"{source.name}: {len(found)} readings of the {name} phase, or a clock that stood still")
    measurement = answer["measurement"]
    runs, total = len(measurement["run_ns"]), (measurement.get("total_ns") or sum(measurement["run_ns"])) * 1e-9
    idle_watts, loop_watts = source.watts(idle), source.watts(loop)
    if loop_watts <= idle_watts:
        raise DeviceError(
            f"{source.name}: {loop_watts:.3g} W with the model, {idle_watts:.3g} W without; something else ran. End "
            "other programs, keep the screen as it is, and measure again"
        )
    return {
        "source": source.name,
        "idle_watts": idle_watts,
        "loop_watts": loop_watts,
        "runs": runs,
        "loop_seconds": total,
        "joules_per_run": (loop_watts - idle_watts) * total / runs,
        "idle_readings": len(idle),
        "loop_readings": len(loop),
    }


def _steady(found: list[Reading], answer: Mapping[str, Any]) -> list[Reading]:
    """Those of the timed loop, which is the last thing that the runner does; loading and warm-up came before."""
    total = ((answer.get("measurement") or {}).get("total_ns") or 0) * 1e-9
    return [reading for reading in found if reading.seconds >= found[-1].seconds - total]


def _sample(device: Device, source: Source) -> str:
    count = IDLE_SECONDS // INTERVAL_SECONDS
    command = ["sh", "-c", _SAMPLER, "sh", " ".join(source.globs), str(count), str(INTERVAL_SECONDS)]
    return device.run(command, timeout=4 * IDLE_SECONDS + 60).stdout


def _files(lines: Sequence[str]) -> dict[str, str]:
    """Path -> content, from lines of ``grep -H``; folders may hold colons (iio:device0)."""
    files: dict[str, str] = {}
    for line in lines:
        folder, slash, rest = line.rpartition("/") if line.startswith("/sys/") else ("", "", "")
        name, colon, content = rest.partition(":")
        if slash and colon:
            path = f"{folder}/{name}"
            files[path] = f"{files[path]}\n{content}" if path in files else content
    return files
