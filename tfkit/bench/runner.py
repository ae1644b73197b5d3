"""One start of the runner on a device: its command line, and the document it answers with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfkit._errors import DeviceError, InferenceError
from tfkit.bench import document
from tfkit.bench.bundle import Bundle
from tfkit.bench.foreign import flags as foreign_flags
from tfkit.bench.foreign import parse as parse_foreign
from tfkit.bench.spec import Preset
from tfkit.bench.subject import GOLDEN, INPUTS, MODEL, Subject
from tfkit.bench.table import printable
from tfkit.devices import Completed, Device
from tfkit.runtime import delegate

GOLDEN_MISMATCH = 3
# Loading, compiling and the first run, which no preset bounds; an emulated core is some hundred times slower.
START_SECONDS = 600.0


def flags_of(subject: Subject, device: Device, threads: int, kernel: str | None, cpus: str | None) -> list[str]:
    """The runner's flags for one model, whose files are pushed."""
    flags = ["--model", device.push(subject.folder / MODEL), "--threads", str(threads)]
    flags += ["--inputs", device.push(subject.folder / INPUTS), "--golden", device.push(subject.folder / GOLDEN)]
    flags += ["--relative-tolerance", repr(subject.golden.relative)]
    flags += ["--integer-tolerance", str(subject.golden.integer)]
    if kernel is not None and needs_delegate(subject):
        flags += ["--kernel", kernel]
    return flags if cpus is None else [*flags, "--cpus", cpus]


def needs_delegate(subject: Subject) -> bool:
    """Whether tfkit's delegate runs some of the model's ops."""
    return delegate.needs_delegate(subject.file)


def start(subject: Subject, device: Device, bundle: Bundle, flags: Sequence[str], seconds: float) -> Mapping[str, Any]:
    """Run the pushed ``bundle`` with ``flags``, whose loops take at most ``seconds``; the document it answers with.

    A golden mismatch is a document too.

    Raises:
        InferenceError: the model does not load or run there.
        DeviceError: no answer in time, a crash, or an answer that is no such document.
    """
    command = bundle.command(flags, with_delegate=needs_delegate(subject))
    done = device.run(command, timeout=START_SECONDS + seconds)
    return _document(done, f"{subject.path} on {device.name}")


def _document(done: Completed, where: str) -> Mapping[str, Any]:
    if done.signal is not None:
        raise DeviceError(f"{where}: the runner was killed by signal {done.signal}. {_complaints(done.stderr)}".strip())
    try:
        answer = json.loads(done.stdout)
    except (ValueError, RecursionError) as error:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise DeviceError(
            f"{where}: the runner ended with exit code {done.exit_code} and no result; it said: {printable(said[-1])}"
        ) from error
    checked = document.check(answer, where)
    if "error" in checked:
        reason = f"{printable(str(checked['error']))}. {_complaints(done.stderr)}"
        raise InferenceError(f"{where} does not run: {reason}".strip())
    if done.exit_code not in (0, GOLDEN_MISMATCH):
        raise DeviceError(f"{where}: the runner ended with exit code {done.exit_code}")
    return checked


def _complaints(stderr: str) -> str:
    lines = [printable(line) for line in stderr.splitlines() if line.startswith("ERROR")]
    return "The runtime said: " + " | ".join(lines[:4]) if lines else ""


def start_foreign(program: Path, subject: Subject, device: Device, threads: int, preset: Preset) -> Mapping[str, Any]:
    """Run another tool's program, and read its output into the same document; ``runner`` names the tool.

    Raises:
        UsageError: not a program that tfkit can read.
        DeviceError: it crashed, took too long, or said something else than expected.
    """
    where = f"{subject.path} on {device.name}"
    flags = foreign_flags(program.name, device.push(subject.folder / MODEL), threads, preset)
    done = device.run([device.push(program), *flags], timeout=START_SECONDS + preset.longest_seconds)
    if done.exit_code:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["nothing"]
        raise DeviceError(
            f"{where}: {program.name} ended with exit code {done.exit_code}; it said: {printable(said[-1])}"
        )
    return document.check(parse_foreign(done.stdout), where)
