"""Sweeps whose steps are faked: what they give depends on what they are given, and nothing else.

Here and not in tests, because processes of a pool import what they run.
As a program, ``python -m helpers.sweeps FOLDER LOG JOBS SPEC``, it carries out a spec for a test to kill.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tfkit.tradeoffs.sweep.origins import Origins
from tfkit.tradeoffs.sweep.plan import Plan, plan
from tfkit.tradeoffs.sweep.pool import LocalPool
from tfkit.tradeoffs.sweep.reader import Reader
from tfkit.tradeoffs.sweep.run import carry_out
from tfkit.tradeoffs.sweep.spec import parse_spec
from tfkit.tradeoffs.sweep.steps import CONVERT, VERIFY, Outcome, Step

SPEC = """
[data]
name = "digits"
[[model]]
name = "small_cnn"
width = [0.5, 1]
[[compression]]
format = ["float32", "float16"]
[[compression]]
int8 = ["ptq", "qat"]
[[compression]]
scheme = "binary"
[[compression]]
prune = "psp"
int8 = "qat"
[training]
epochs = 3
seeds = [0, 1]
[[device]]
name = ["local", "qemu:cortex-a76"]
preset = "quick"
"""
SMALL = """
[data]
name = "digits"
[[model]]
name = "small_cnn"
[[compression]]
format = ["float32", "float16"]
[[compression]]
scheme = "binary"
[[compression]]
prune = "psp"
int8 = "qat"
"""
PAUSE_S = 0.01


def planned(text: str = SPEC) -> Plan:
    return plan(parse_spec(Reader(text)), Origins("the digest of the data"))


class InlinePool:
    """Carries a step out when it is submitted."""

    on_this_host = True

    def __init__(self, places: int = 2) -> None:
        self.places = places

    def submit(self, function: Callable[..., Outcome], *arguments: Any) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        future.set_result(function(*arguments))
        return future

    def renew(self) -> None:
        raise AssertionError("no process died")

    def stop(self) -> None:
        pass


def carry(
    kind: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, bytes],
    scratch: str | None,
    *,
    log: Path,
    pause: float = 0.0,
    failing: tuple[str, ...] = (),
) -> Outcome:
    identity = _identity(kind, settings, inputs)
    _log(log, identity)
    if pause:
        time.sleep(pause)
    if kind in failing:
        return Outcome(reason=f"{kind} was told to fail")
    number = int(identity[:6], 16)
    if kind == VERIFY:
        return Outcome({"accuracy": number / 16**6}, {"parity": (".json", _content(identity))}, seconds=0.5)
    if kind == CONVERT:
        return Outcome({"size_bytes": number}, {"tflite": (".tflite", _content(identity))}, seconds=0.5)
    return Outcome({"keras_accuracy": number / 16**6, "macs": number}, {"keras": (".keras", _content(identity))})


def measure(settings: Mapping[str, Any], flatbuffer: Path, scratch: Path, *, log: Path) -> Outcome:
    identity = _identity("bench", settings, {"tflite": flatbuffer.read_bytes()})
    _log(log, identity)
    figures = {"latency_ms": int(identity[:6], 16) / 1e6, "latency_interval_ms": [0.0, 20.0], "trusted": True}
    return Outcome(figures, {"bench": (".json", _content(identity))})


def deadly(kind: str, settings: Mapping[str, Any], *rest: Any, log: Path) -> Outcome:
    """Takes its process along when a binary network is to be trained."""
    if settings.get("scheme") == "binary":
        os._exit(9)
    return carry(kind, settings, *rest, log=log, pause=0.05)


def with_tensorflow(*arguments: Any, log: Path) -> Outcome:
    """Imports what real steps import."""
    import tensorflow  # noqa: F401

    return carry(*arguments, log=log)


def on_workers(
    kind: str, settings: Mapping[str, Any], inputs: Any, scratch: Any, *, log: Path, data: Any = None
) -> Outcome:
    """Sees that a cluster is given the data and no folder."""
    assert scratch is None
    assert data.x_train.shape == (3, 2, 2, 1)
    return carry(kind, settings, inputs, scratch, log=log, pause=0.01)


def own_process() -> Outcome:
    return Outcome({"process": os.getpid()})


def sleep_long() -> Outcome:
    time.sleep(600)
    return Outcome()


def identity_of(step: Step) -> str:
    """What the fakes write into their log for ``step``."""
    inputs = {name: _content(identity_of(source)) for name, source in step.inputs.items()}
    return _identity(step.kind, step.settings, inputs)


def _identity(kind: str, settings: Mapping[str, Any], inputs: Mapping[str, bytes]) -> str:
    parts = [kind, dict(settings), {name: content.decode() for name, content in inputs.items()}]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _content(identity: str) -> bytes:
    return f"made by {identity}".encode()


def _log(log: Path, line: str) -> None:
    with log.open("a") as file:
        file.write(line + "\n")


def main(folder: str, log: str, jobs: str, spec: str) -> None:
    pool: Callable[[], Any] = InlinePool if jobs == "0" else functools.partial(LocalPool, int(jobs))
    work = functools.partial(carry, log=Path(log), pause=PAUSE_S)
    carry_out(planned(spec), Path(folder), pool, work, functools.partial(measure, log=Path(log)))


if __name__ == "__main__":
    main(*sys.argv[1:])
