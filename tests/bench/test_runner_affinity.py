"""tfkit_bench --cpus: the choice among clusters that a test scripts, and what really happens on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from helpers.fake_root import FakeRoot
from helpers.flatbuffers import golden
from helpers.runner import tfkit_bench

FLOAT = golden("float32")


def affinity(root: FakeRoot | None, *flags: str) -> dict[str, Any]:
    where = [] if root is None else ["--root", root.path]
    answer = tfkit_bench("--model", FLOAT, "--runs=0", *where, *flags)
    assert answer.exit_code == 0, answer.stderr
    assert answer.document is not None
    found: dict[str, Any] = answer.document["affinity"]
    return found


def test_without_the_flag_nothing_is_set() -> None:
    found = affinity(None)
    assert found["asked"] is None
    assert found["applied"] is False
    assert found["error"] is None
    assert found["cpus"] == sorted(os.sched_getaffinity(0))
    assert [thread["allowed"] for thread in found["threads"]] == [found["cpus"]] * len(found["threads"])


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_stay_where_they_were_put(threads: int) -> None:
    """Every thread of the process, those of LiteRT and XNNPACK too, started after the mask was set."""
    cpu = max(os.sched_getaffinity(0))
    answer = tfkit_bench("--model", FLOAT, "--cpus", str(cpu), "--threads", str(threads), "--runs=20")
    assert answer.document is not None, answer.stderr
    found = answer.document["affinity"]
    assert (found["asked"], found["cpus"], found["applied"], found["error"]) == (str(cpu), [cpu], True, None)
    assert len(found["threads"]) >= threads
    assert {(thread["cpu"], *thread["allowed"]) for thread in found["threads"]} == {(cpu, cpu)}
    assert found["main_cpus"] == [cpu]
    assert found["migrations"] == 0


def test_all_and_lists_of_this_machine() -> None:
    mine = sorted(os.sched_getaffinity(0))
    assert affinity(None, "--cpus=all")["cpus"] == mine
    assert affinity(None, f"--cpus={mine[0]},{mine[-1]}")["cpus"] == sorted({mine[0], mine[-1]})


@pytest.mark.parametrize(
    ("capacities", "frequencies", "threads", "allowed", "chosen"),
    [
        ([250, 250, 250, 250, 1024, 1024, 1024, 1024], None, 4, None, [4, 5, 6, 7]),
        ([1024, 1024, 250, 250], None, 1, None, [0, 1]),  # the big ones first
        ([250] * 4 + [800] * 3 + [1024], None, 1, None, [7]),
        ([250] * 4 + [800] * 3 + [1024], None, 2, None, [4, 5, 6]),  # one prime core is too few
        ([250] * 4 + [800] * 3 + [1024], None, 4, None, [0, 1, 2, 3]),
        ([None] * 8, [1_800_000] * 4 + [2_400_000] * 4, 2, None, [4, 5, 6, 7]),  # old kernels know no capacity
        ([1024, None, 1024, 1024], [1_000_000, 1_000_000, 2_000_000, 2_000_000], 1, None, [2, 3]),  # nor all cores
        ([250, 250, 1024, 1024], [3_000_000, 3_000_000, 1_000_000, 1_000_000], 1, None, [2, 3]),  # capacity counts
        ([None] * 4, None, 3, None, [0, 1, 2, 3]),  # no figures: all alike
        ([250] * 4 + [1024] * 4, None, 2, "0-5", [4, 5]),  # a cpuset
        ([250] * 4 + [1024] * 4, None, 3, "0-5", [0, 1, 2, 3]),
        ([250] * 10 + [1024] * 2, None, 2, None, [10, 11]),  # numbers, not text
    ],
)
def test_big_is_the_fastest_cluster_with_room(
    capacities: list[int | None],
    frequencies: list[int] | None,
    threads: int,
    allowed: str | None,
    chosen: list[int],
    tmp_path: Path,
) -> None:
    root = FakeRoot(tmp_path, len(capacities), allowed)
    root.capacities(capacities)
    root.frequencies(frequencies or [])
    assert affinity(root, "--cpus=big", f"--threads={threads}")["cpus"] == chosen


def test_clusters_are_listed_fastest_first(tmp_path: Path) -> None:
    root = FakeRoot(tmp_path, 4)
    root.capacities([250, 250, 1024, 1024])
    root.frequencies([1_800_000, 1_800_000, 2_400_000, 2_400_000])
    assert affinity(root)["clusters"] == [
        {"cpus": [2, 3], "capacity": 1024, "max_khz": 2_400_000},
        {"cpus": [0, 1], "capacity": 250, "max_khz": 1_800_000},
    ]


def test_what_the_kernel_refuses_is_reported(tmp_path: Path) -> None:
    """A scripted phone has cores that this machine has not: the kernel says no, and the document says so."""
    root = FakeRoot(tmp_path, 1024)
    found = affinity(root, "--cpus=1000-1003")
    assert found["cpus"] == [1000, 1001, 1002, 1003]
    assert found["applied"] is False
    assert found["error"] == "Invalid argument"
    partly = affinity(root, f"--cpus={min(os.sched_getaffinity(0))},1000")
    assert partly["applied"] is False
    assert partly["error"] == "the kernel allows only some of these CPUs"


def test_observed_threads_are_those_of_proc(tmp_path: Path) -> None:
    root = FakeRoot(tmp_path, 8)
    root.thread(11, "tfkit_bench", 5, "4-7")
    root.thread(12, "odd) (name", 0, "0,2")
    root.write("proc/self/task/13/stat", "13 (cut off) S 0")
    root.write("proc/self/task/14/status", "Name:\tended")
    assert affinity(root)["threads"] == [
        {"name": "tfkit_bench", "cpu": 5, "allowed": [4, 5, 6, 7]},
        {"name": "odd) (name", "cpu": 0, "allowed": [0, 2]},
        {"name": "", "cpu": -1, "allowed": []},
    ]


@pytest.mark.parametrize(
    ("cpus", "message"),
    [
        ("9", "--cpus 9: this machine has the CPUs 0,1,2,3"),
        ("2-9", "--cpus 2-9: this machine has"),
        ("little", "--cpus little: this machine has"),
        ("3-1", "--cpus 3-1: this machine has"),
        ("1,", "--cpus 1,: this machine has"),
        ("-1", "--cpus -1: this machine has"),
        ("99999999999999999999", "this machine has"),
        ("big", "no cluster has 5 CPUs that this process may use (2,3; 0,1); give fewer --threads, or --cpus all"),
    ],
)
def test_cpus_that_are_not_there(cpus: str, message: str, tmp_path: Path) -> None:
    root = FakeRoot(tmp_path, 4)
    root.capacities([250, 250, 1024, 1024])
    answer = tfkit_bench("--model", FLOAT, "--root", root.path, "--threads=5", f"--cpus={cpus}")
    assert answer.exit_code == 1
    assert answer.document is not None
    assert message in answer.document["error"]


def test_a_root_that_is_none(tmp_path: Path) -> None:
    answer = tfkit_bench("--model", FLOAT, "--root", tmp_path / "none")
    assert answer.exit_code == 1
    assert answer.document is not None
    assert "--root is no folder" in answer.document["error"]
