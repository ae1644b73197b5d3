"""Sweeps with faked steps, in one process."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.sweeps import SMALL, InlinePool, carry, identity_of, measure, planned
from tfkit.tradeoffs import Point, SweepError, read_points
from tfkit.tradeoffs.sweep.lock import locked
from tfkit.tradeoffs.sweep.run import carry_out
from tfkit.tradeoffs.sweep.scheduler import DIED
from tfkit.tradeoffs.sweep.steps import Outcome


class Killed(BaseException):
    """As SIGKILL, or Ctrl-C."""


def run(folder: Path, log: Path, text: str = SMALL, **settings: Any) -> tuple[Point, ...]:
    options = {name: settings.pop(name) for name in ("retry", "say") if name in settings}
    work = settings.pop("work", carry)
    carry_out(
        planned(text),
        folder,
        InlinePool,
        functools.partial(work, log=log, **settings),
        functools.partial(measure, log=log),
        **options,
    )
    return read_points(folder)


def figures(points: tuple[Point, ...], folder: Path) -> list[Point]:
    """Points without the folder that they are in."""
    return [
        replace(point, artifacts={name: path.relative_to(folder) for name, path in point.artifacts.items()})  # type: ignore[misc]
        for point in points
    ]


def test_every_step_is_carried_out_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = run(tmp_path / "sweep", log)
    assert Counter(log.read_text().split()) == Counter(identity_of(step) for step in planned(SMALL).steps)
    log.unlink()
    assert run(tmp_path / "sweep", log) == first
    assert not log.exists()


def test_a_changed_spec_takes_over_what_is_done(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(tmp_path / "sweep", log)
    log.unlink()
    points = run(tmp_path / "sweep", log, SMALL + "[training]\nseeds = [0, 1]")
    assert len(points) == 8
    assert len(log.read_text().split()) == len(planned(SMALL).steps)
    log.unlink()
    assert len(run(tmp_path / "sweep", log)) == 4
    assert not log.exists()


@pytest.mark.parametrize("where", ["before the step", "after the file", "before the row"])
def test_an_end_at_any_step_changes_nothing(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfkit.tradeoffs.sweep.state import State
    from tfkit.tradeoffs.sweep.store import Store

    expected = figures(run(tmp_path / "whole", tmp_path / "log0"), tmp_path / "whole")
    steps = planned(SMALL).steps
    log = tmp_path / "log"
    fuse = [0]

    def burn() -> None:
        fuse[0] -= 1
        if fuse[0] == 0:
            raise Killed

    put, write = Store.put, State.write

    def cut_put(self: Store, content: bytes, suffix: str) -> str:
        name = put(self, content, suffix)
        burn()
        return name

    def cut_write(self: State, *arguments: Any) -> None:
        burn()
        write(self, *arguments)

    def cut_carry(*arguments: Any, **settings: Any) -> Outcome:
        if where == "before the step":
            burn()
        return carry(*arguments, **settings)

    if where == "after the file":
        monkeypatch.setattr(Store, "put", cut_put)
    if where == "before the row":
        monkeypatch.setattr(State, "write", cut_write)
    folder = tmp_path / "sweep"
    ends = 0
    # Every run gets one step further than the one before, and is cut off there.
    for _ in range(len(steps) + 1):
        fuse[0] = 2
        try:
            run(folder, log, work=cut_carry)
            break
        except Killed:
            ends += 1
            assert {point.state for point in read_points(folder)} <= {"waiting", "done"}
    assert ends >= len(steps) // 2
    fuse[0] = 0
    assert figures(run(folder, log), folder) == expected


def test_a_failed_step_is_the_reason_of_its_points_only(tmp_path: Path) -> None:
    def some_fail(kind: str, settings: Mapping[str, Any], *rest: Any, log: Path) -> Outcome:
        if kind == "convert" and settings["format"] == "float16":
            return Outcome(reason="no such format here")
        return carry(kind, settings, *rest, log=log)

    log, lines = tmp_path / "log", []
    points = run(tmp_path / "sweep", log, work=some_fail, say=lines.append)
    states = {point.series: (point.state, point.reason) for point in points}
    assert states["float32"] == states["binary"] == ("done", None)
    assert states["float16"] == ("failed", "convert small_cnn as float16, seed 0: no such format here")
    assert sum(line.startswith("[") for line in lines) == 4
    assert any("[1/4] small_cnn float16, seed 0, local: failed: convert small_cnn" in line for line in lines)
    assert lines[-1].endswith("nothing left")

    log.unlink()
    run(tmp_path / "sweep", log)
    assert not log.exists(), "a failure stays one until --retry"
    points = run(tmp_path / "sweep", log, retry=True)
    assert {point.state for point in points} == {"done"}
    assert len(log.read_text().split()) == 3  # convert, verify, bench


def test_a_lost_device_is_tried_again(tmp_path: Path) -> None:
    folder, log = tmp_path / "sweep", tmp_path / "log"
    scratch: list[Path] = []

    def lost(settings: Mapping[str, Any], flatbuffer: Path, own: Path) -> Outcome:
        (own / "half").touch()
        scratch.append(own)
        return Outcome(reason="it was unplugged")

    carry_out(planned(SMALL), folder, InlinePool, functools.partial(carry, log=log), lost)
    assert {point.reason for point in read_points(folder) if point.series == "binary"} == {
        "bench small_cnn binary as auto, seed 0 on local: it was unplugged"
    }
    assert all((own / "half").exists() for own in scratch), "what was measured is there to go on with"
    log.unlink()
    assert {point.state for point in run(folder, log)} == {"done"}
    assert len(log.read_text().split()) == 4
    assert not any(own.exists() for own in scratch)


def test_lost_files_are_made_anew(tmp_path: Path) -> None:
    folder, log = tmp_path / "sweep", tmp_path / "log"
    points = run(folder, log)
    points[0].artifacts["tflite"].unlink()
    log.unlink()
    assert run(folder, log) == points
    assert (
        log.read_text().split()
        == [identity_of(points_step) for points_step in planned(SMALL).steps if points_step.kind == "convert"][:1]
    )


def test_a_file_that_changed_is_noticed(tmp_path: Path) -> None:
    folder, log = tmp_path / "sweep", tmp_path / "log"
    points = run(folder, log)
    points[0].artifacts["keras"].write_bytes(b"other")
    with pytest.raises(SweepError, match="was not what its name says and is deleted; sweep again"):
        run(folder, log, SMALL.replace('"float16"', '"float16", "dynamic"'))
    assert len(run(folder, log, SMALL.replace('"float16"', '"float16", "dynamic"'))) == 5


def test_a_second_sweep_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(SweepError, match=r"process \d+ is sweeping into .*; wait for it, or give"):
        run(tmp_path, tmp_path / "log")
    assert {point.state for point in run(tmp_path, tmp_path / "log")} == {"done"}


def test_a_process_that_dies_is_the_failure_of_its_step(tmp_path: Path) -> None:
    renewed: list[bool] = []

    class Pool(InlinePool):
        def submit(self, function: Any, *arguments: Any) -> Future[Outcome]:
            if arguments[1].get("scheme") != "binary":
                return super().submit(function, *arguments)
            future: Future[Outcome] = Future()
            future.set_exception(BrokenProcessPool("died"))
            return future

        def renew(self) -> None:
            renewed.append(True)

    log = tmp_path / "log"
    work, measuring = functools.partial(carry, log=log), functools.partial(measure, log=log)
    carry_out(planned(SMALL), tmp_path / "sweep", Pool, work, measuring)
    reasons = {point.series: point.reason for point in read_points(tmp_path / "sweep")}
    assert reasons.pop("binary") == f"train small_cnn binary, seed 0: {DIED}"
    assert set(reasons.values()) == {None}
    assert renewed


def test_nothing_computes_while_something_is_measured(tmp_path: Path) -> None:
    events: list[str] = []

    class Pool(InlinePool):
        def stop(self) -> None:
            events.append("the pool is gone")

    def measuring(settings: Mapping[str, Any], flatbuffer: Path, scratch: Path) -> Outcome:
        events.append("measured")
        return Outcome({})

    work = functools.partial(carry, log=tmp_path / "log")
    carry_out(planned(SMALL), tmp_path / "sweep", Pool, work, measuring)
    assert events[0] == "the pool is gone"
    assert events[-4:] == ["measured"] * 4
    assert not any(event.startswith("the pool") for event in events[events.index("measured") :])
