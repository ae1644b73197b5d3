"""The points of a sweep, and how they are read from its folder: without TensorFlow, and without changing anything."""

from __future__ import annotations

import json
import math
import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tfkit._errors import InputError

DATABASE = "sweep.sqlite"
ARTIFACTS = "artifacts"
SCHEMA_VERSION = 1
_WAIT_S = 30.0  # for a sweep that is writing just now
_ARTIFACT = re.compile(r"[0-9a-f]{64}\.[a-z]{1,8}")
_FRACTIONS = ("accuracy", "keras_accuracy", "latency_ms")
_COUNTS = ("instructions", "size_bytes", "peak_memory_bytes", "macs", "parameters")


class SweepError(InputError):
    """A folder that holds no sweep, a damaged one, or one that another process is working on."""


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high`` with 95 % confidence."""

    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """One model, compressed one way, trained with one seed, measured on one device.

    A figure is None while it waits, after a failure, and where there is none to have: an emulated device has no
    latency, a real one counts no instructions.

    Attributes:
        key: SHA-256 of all that it depends on.
        series: the method, for a legend: "float32", "binary", "lsq_w2 lsq_a2", "psp channel 0.5 + int8 QAT".
        model: a name of the zoo.
        settings: what the spec says of model and compression: width, format, rate, ...
        seed: of training.
        device: as in the spec, with the threads if they are not 1: "local", "qemu:cortex-a76", "local threads=2".
        state: "done", "failed" or "waiting".
        reason: of a failure: which step, and what it said.
        accuracy: share of right answers of the flatbuffer on the test split, 0 to 1.
        keras_accuracy: the same of the Keras model that it was made from.
        latency_ms: median, milliseconds.
        latency_interval: of the median, milliseconds.
        instructions: of one inference; on emulated devices.
        size_bytes: of the flatbuffer.
        peak_memory_bytes: the most that the process of the runner had in memory (VmHWM), its libraries included.
        macs, parameters: of the Keras model.
        trusted: the bench gate's verdict on the latency.
        artifacts: "keras", "tflite", "ledger", "parity", "bench": files, as far as they exist.
    """

    key: str
    series: str
    model: str
    settings: Mapping[str, Any]
    seed: int
    device: str
    state: str
    reason: str | None = None
    accuracy: float | None = None
    keras_accuracy: float | None = None
    latency_ms: float | None = None
    latency_interval: Interval | None = None
    instructions: int | None = None
    size_bytes: int | None = None
    peak_memory_bytes: int | None = None
    macs: int | None = None
    parameters: int | None = None
    trusted: bool | None = None
    artifacts: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class _Step:
    state: str
    reason: str | None
    figures: Mapping[str, Any]
    artifacts: Mapping[str, str]


def read_points(folder: str | os.PathLike[str]) -> tuple[Point, ...]:
    """All points of the sweep in ``folder``, in the order of its spec; one that is running may be read too.

    Raises:
        SweepError: the folder holds no sweep, one of another version, or a damaged one.
    """
    root = Path(folder)
    path = root / DATABASE
    if not path.is_file():
        raise SweepError(f"{root} holds no sweep: there is no {DATABASE}; give the folder that tfkit sweep -o wrote")
    try:
        version, steps, points = _rows(path)
    except sqlite3.Error as error:
        raise _damaged(path, error) from error
    if version != SCHEMA_VERSION:
        raise SweepError(
            f"{path} has version {version}, this tfkit reads {SCHEMA_VERSION}; sweep again into another folder"
        )
    try:
        known = {row[0]: _step(row) for row in steps}
        return tuple(_point(root, row, known) for row in points)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damaged(path, error) from error


def _rows(path: Path) -> tuple[int, list[Any], list[Any]]:
    """Read in one transaction. A writer that was killed leaves a journal, which only a writing connection undoes."""
    try:
        return _rows_of(path, "ro")
    except sqlite3.OperationalError:
        return _rows_of(path, "rw")


def _rows_of(path: Path, mode: str) -> tuple[int, list[Any], list[Any]]:
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, timeout=_WAIT_S)
    try:
        connection.execute("BEGIN")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            return version, [], []
        steps = connection.execute("SELECT key, state, reason, figures, artifacts FROM steps").fetchall()
        points = connection.execute(
            "SELECT key, series, model, settings, seed, device, steps FROM points ORDER BY place"
        ).fetchall()
        return version, steps, points
    finally:
        connection.close()


def _step(row: Sequence[Any]) -> _Step:
    _, state, reason, figures, artifacts = row
    names = dict(json.loads(artifacts))
    for name in names.values():
        if not _ARTIFACT.fullmatch(name):  # the file may come from anywhere, and must not point out of its folder
            raise ValueError(f"{name!r:.80} is no name of an artifact")
    return _Step(str(state), None if reason is None else str(reason), dict(json.loads(figures)), names)


def _point(root: Path, row: Sequence[Any], known: Mapping[str, _Step]) -> Point:
    key, series, model, settings, seed, device, step_keys = row
    keys = [str(step) for step in json.loads(step_keys)]
    steps = [known[step] for step in keys if step in known]
    failed = [step for step in steps if step.state == "failed"]
    figures: dict[str, Any] = {}
    artifacts: dict[str, Path] = {}
    for step in steps:
        figures |= step.figures
        artifacts |= {name: root / ARTIFACTS / file for name, file in step.artifacts.items()}
    whole = bool(keys) and len(steps) == len(keys)
    state = "failed" if failed else "done" if whole else "waiting"
    numbers: dict[str, Any] = {name: _number(figures.get(name)) for name in _FRACTIONS}
    numbers |= {name: _count(figures.get(name)) for name in _COUNTS}
    trusted, interval = figures.get("trusted"), figures.get("latency_interval_ms")
    return Point(
        key=str(key),
        series=str(series),
        model=str(model),
        settings=dict(json.loads(settings)),
        seed=int(seed),
        device=str(device),
        state=state,
        reason=failed[0].reason if failed else None,
        latency_interval=None if interval is None else Interval(*map(float, interval)),
        trusted=None if trusted is None else bool(trusted),
        artifacts=artifacts,
        **numbers,
    )


def _number(value: Any) -> float | None:
    found = None if value is None else float(value)
    return found if found is not None and math.isfinite(found) else None


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def _damaged(path: Path, error: Exception) -> SweepError:
    return SweepError(f"{path} is damaged or no sweep ({error}); restore it, or sweep again into another folder")
