"""tfkit_bench and a clock that cannot be trusted: a library put before libc scripts what clock_gettime says."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers.flatbuffers import golden
from helpers.runner import tfkit_bench
from tfkit import _native
from tfkit.runtime import litert_library

# Each reading is 1000 ns after the one before, but every STEP_EVERYth is STEP_BACK ns before it.
CLOCK = r"""
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec* t) {
  static long long now = 5000000000LL, reading = 0;
  (void)id;
  const long long every = atoll(getenv("STEP_EVERY"));
  now += every > 0 && ++reading % every == 0 ? -atoll(getenv("STEP_BACK")) : 1000;
  t->tv_sec = now / 1000000000LL;
  t->tv_nsec = now % 1000000000LL;
  return 0;
}
"""


@functools.cache
def compiler() -> str:
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert found, "a C compiler is missing; install one with: apt-get install -y gcc"
    return found


def measurement(folder: Path, every: int, back: int) -> dict[str, Any]:
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(CLOCK)
    subprocess.run([compiler(), "-shared", "-fPIC", "-o", library, source], check=True)
    command = [_native.path("tfkit_bench"), "--model", golden("float32"), "--litert", litert_library()]
    command += ["--runs=40", "--warmup-runs=3", "--warmup-seconds=0"]
    script = {"LD_PRELOAD": str(library), "STEP_EVERY": str(every), "STEP_BACK": str(back)}
    done = subprocess.run(
        list(map(str, command)), env=os.environ | script, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert min(document["load_ns"], document["compile_ns"], document["first_run_ns"]) >= 0
    found: dict[str, Any] = document["measurement"]
    return found


def test_a_sound_clock(tmp_path: Path) -> None:
    found = measurement(tmp_path, every=0, back=0)
    assert found["backward_steps"] == found["largest_backward_ns"] == 0
    assert found["run_ns"] == found["input_write_ns"] == found["output_read_ns"] == [1000] * 40
    assert found["clock_overhead_ns"] == 1000
    assert found["warmup"]["last_ns"] == [1000] * 3


def test_runs_with_a_backward_step_are_left_out(tmp_path: Path) -> None:
    found = measurement(tmp_path, every=30, back=1_000_000)
    columns = [found["run_ns"], found["input_write_ns"], found["output_read_ns"]]
    assert found["backward_steps"] in (5, 6)  # four readings a run, 160 in all
    assert found["largest_backward_ns"] == 1_000_000
    assert [len(column) for column in columns] == [40 - found["backward_steps"]] * 3
    assert all(sample == 1000 for column in columns for sample in column)
    assert 0 < found["total_ns"] < 200_000


def test_a_clock_that_only_runs_backwards_ends_too(tmp_path: Path) -> None:
    found = measurement(tmp_path, every=1, back=500)
    assert found["run_ns"] == []
    assert found["backward_steps"] >= 40 * 4 - 1
    assert found["clock_overhead_ns"] == found["total_ns"] == 0


def test_taking_the_time_costs_less_than_a_microsecond() -> None:
    """The figure that a document carries; the smallest of three, since other programs run here too."""
    overheads = []
    for _ in range(3):
        answer = tfkit_bench("--model", golden("float32"), "--runs=1", "--warmup-runs=0", "--warmup-seconds=0")
        assert answer.document is not None, answer.stderr
        overheads.append(answer.document["measurement"]["clock_overhead_ns"])
    assert 0 < min(overheads) < 1000, overheads


@pytest.mark.parametrize("stable_seconds", ["0", "1"])
def test_the_warm_up_tells_whether_it_settled(stable_seconds: str, tmp_path: Path) -> None:
    answer = tfkit_bench(
        *["--model", golden("float32"), "--runs=1", "--warmup-runs=2", "--warmup-seconds=0"],
        f"--warmup-stable-seconds={stable_seconds}",
    )
    assert answer.document is not None, answer.stderr
    warmup = answer.document["measurement"]["warmup"]
    if stable_seconds == "0":
        assert warmup["runs"] == 2
        assert warmup["stable"] is False  # two runs cannot show it
    else:
        assert warmup["stable"] or warmup["total_ns"] > 1e9
