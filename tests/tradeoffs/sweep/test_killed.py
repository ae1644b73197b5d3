"""SIGKILL at any moment: what is there stays sound, and nothing that is done is done again."""

from __future__ import annotations

import functools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.sweeps import SMALL, SPEC, InlinePool, carry, identity_of, measure, planned
from tfkit.tradeoffs import Point, read_points
from tfkit.tradeoffs.sweep.run import carry_out, known

SEED = 20260
LATEST_S = 0.15  # after a step was begun
TESTS = Path(__file__).parents[2]


def started(folder: Path, log: Path, jobs: int, spec: str) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "helpers.sweeps", str(folder), str(log), str(jobs), spec]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths})


def without_folder(points: tuple[Point, ...], folder: Path) -> list[Point]:
    return [
        replace(point, artifacts={name: path.relative_to(folder) for name, path in point.artifacts.items()})
        for point in points
    ]


def killed_sweep(folder: Path, jobs: int, spec: str, kills: int, random_: random.Random) -> int:
    """Sweep into ``folder``, killed at most ``kills`` times; how often it was."""
    identities = {step.key: identity_of(step) for step in planned(spec).steps}
    log = folder.with_suffix(".log")
    log.touch()
    finished: set[str] = set()
    killed = 0
    while killed < kills:
        seen = len(log.read_text())
        process = started(folder, log, jobs, spec)
        while len(log.read_text()) == seen and process.poll() is None:
            time.sleep(0.005)
        time.sleep(random_.random() * LATEST_S)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += 1
        again = finished & set(log.read_text()[seen:].split())
        assert not again, "a step that was done is not done again"
        assert {point.state for point in read_points(folder)} <= {"done", "waiting"}
        finished = {identities[key] for key in known(folder)}
    assert started(folder, log, jobs, spec).wait() == 0, f"seed {SEED}"
    assert set(known(folder)) == set(identities)
    runs = Counter(log.read_text().split())
    assert set(runs) == set(identities.values())
    assert sum(runs.values()) <= len(identities) + killed * max(jobs, InlinePool().places)
    return killed


def kill_repeatedly(tmp_path: Path, spec: str, kills: int, jobs: int) -> None:
    random_ = random.Random(SEED)
    whole = tmp_path / "whole"
    work = functools.partial(carry, log=tmp_path / "whole.log")
    carry_out(planned(spec), whole, InlinePool, work, functools.partial(measure, log=tmp_path / "whole.log"))
    expected = without_folder(read_points(whole), whole)
    while kills > 0:
        folder = tmp_path / f"sweep{kills}"
        kills -= killed_sweep(folder, jobs, spec, kills, random_)
        assert without_folder(read_points(folder), folder) == expected


def test_killed_once(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path, SMALL, kills=1, jobs=0)


@pytest.mark.slow
def test_killed_fifty_times(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path, SPEC, kills=50, jobs=2)
