"""Processes that compute: one that dies takes no other step along, and none outlives the sweep."""

from __future__ import annotations

import functools
import os
import time
from concurrent.futures import BrokenExecutor, CancelledError
from pathlib import Path

import pytest

from helpers.sweeps import SMALL, deadly, measure, own_process, planned, sleep_long
from tfkit.tradeoffs import read_points
from tfkit.tradeoffs.sweep.pool import LocalPool
from tfkit.tradeoffs.sweep.run import carry_out
from tfkit.tradeoffs.sweep.scheduler import DIED


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_a_step_that_takes_its_process_along_is_one_failure(tmp_path: Path) -> None:
    log = tmp_path / "log"
    carry_out(
        planned(SMALL),
        tmp_path / "sweep",
        functools.partial(LocalPool, 2),
        functools.partial(deadly, log=log),
        functools.partial(measure, log=log),
    )
    reasons = {point.series: point.reason for point in read_points(tmp_path / "sweep")}
    assert reasons.pop("binary") == f"train small_cnn binary, seed 0: {DIED}"
    assert set(reasons.values()) == {None}


def test_stop_ends_work_at_once() -> None:
    pool = LocalPool(1)
    pid = pool.submit(own_process).result().figures["process"]
    assert pid != os.getpid()
    running = pool.submit(sleep_long)
    started = time.monotonic()
    pool.stop()
    assert time.monotonic() - started < 30
    assert not is_alive(pid)
    with pytest.raises((BrokenExecutor, CancelledError), match=r"^(A process in .* terminated abruptly.*)?$"):
        running.result(timeout=0)
