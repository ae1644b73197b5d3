"""One start of ``tfkit_bench`` on a device: its command line, and the document it answers with."""

from __future__ import annotations

import json
from typing import Any

from tfkit._errors import DeviceError, InferenceError
from tfkit.bench.artifacts import Artifacts
from tfkit.bench.spec import Preset
from tfkit.bench.subject import GOLDEN, INPUTS, MODEL, Subject
from tfkit.bench.table import printable
from tfkit.devices import Completed, Device
from tfkit.runtime import delegate

SCHEMA_VERSION = 1
GOLDEN_MISMATCH = 3
# Loading, compiling and the first run, which no preset bounds; an emulated core is some hundred times slower.
START_SECONDS = 600.0


def run_once(
    subject: Subject, device: Device, artifacts: Artifacts, preset: Preset, threads: int, kernel: str | None
) -> dict[str, Any]:
    """The runner's document (``android_bench/runner/report.h``); a golden mismatch is a document too.

    Raises:
        InferenceError: the model does not load or run there.
        DeviceError: no answer in time, a crash, or an answer that is no such document.
    """
    command = [device.push(artifacts.runner)]
    command += ["--model", device.push(subject.folder / MODEL), "--litert", device.push(artifacts.litert)]
    command += ["--inputs", device.push(subject.folder / INPUTS), "--golden", device.push(subject.folder / GOLDEN)]
    command += ["--relative-tolerance", repr(subject.golden.relative)]
    command += ["--integer-tolerance", str(subject.golden.integer), "--threads", str(threads)]
    if delegate.needs_delegate(subject.file.custom_ops):
        command += ["--delegate", device.push(artifacts.delegate)]
        command += [] if kernel is None else ["--kernel", kernel]
    done = device.run([*command, *preset.flags()], timeout=START_SECONDS + preset.longest_seconds)
    return _document(done, f"{subject.path} on {device.name}")


def _document(done: Completed, where: str) -> dict[str, Any]:
    if done.signal is not None:
        raise DeviceError(f"{where}: the runner was killed by signal {done.signal}. {_complaints(done.stderr)}".strip())
    try:
        document = json.loads(done.stdout)
    except ValueError as error:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise DeviceError(
            f"{where}: the runner ended with exit code {done.exit_code} and no result; it said: {printable(said[-1])}"
        ) from error
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise DeviceError(f"{where}: the answer is no document of schema {SCHEMA_VERSION}; is it tfkit's own runner?")
    if "error" in document:
        raise InferenceError(f"{where} does not run: {document['error']}. {_complaints(done.stderr)}".strip())
    if done.exit_code not in (0, GOLDEN_MISMATCH):
        raise DeviceError(f"{where}: the runner ended with exit code {done.exit_code}")
    return document


def _complaints(stderr: str) -> str:
    lines = [printable(line) for line in stderr.splitlines() if line.startswith("ERROR")]
    return "The runtime said: " + " | ".join(lines[:4]) if lines else ""
