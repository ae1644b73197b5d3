"""What a sweep costs beside its steps: processes, TensorFlow's import in each, files and rows brought onto the disk."""

from __future__ import annotations

import functools
import sys
import time
from pathlib import Path

import pytest

from helpers.sweeps import measure, planned, with_tensorflow
from tfkit.tradeoffs import read_points
from tfkit.tradeoffs.sweep.pool import LocalPool
from tfkit.tradeoffs.sweep.run import carry_out

POINTS = 200
MOST_S = 1.0  # for each point
SPEC = """
[data]
name = "digits"
[[model]]
name = "small_cnn"
width = [0.25, 0.5, 0.75, 1, 2]
[[compression]]
format = ["float32", "float16", "dynamic"]
[[compression]]
int8 = "qat"
[training]
seeds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
"""


@pytest.mark.slow
def test_two_hundred_points(tmp_path: Path) -> None:
    log = tmp_path / "log"
    started = time.perf_counter()
    carry_out(
        planned(SPEC),
        tmp_path / "sweep",
        functools.partial(LocalPool, 2),
        functools.partial(with_tensorflow, log=log),
        functools.partial(measure, log=log),
    )
    seconds = time.perf_counter() - started
    points = read_points(tmp_path / "sweep")
    assert len(points) == POINTS
    assert {point.state for point in points} == {"done"}
    sys.stdout.write(f"{seconds / POINTS:.3f} s for each of {POINTS} points\n")
    assert seconds / POINTS < MOST_S
