"""Hostile graphs against the delegate, under AddressSanitizer and UndefinedBehaviorSanitizer.

A graph ends in a clear error or in the same bits from every kernel. What the fuzzer has ever found is in
android_bench/tests/delegate_*test.cc, and its input in the corpus.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from helpers.fuzz_seeds import write
from helpers.native_build import SOURCES, fuzzer_build

CORPUS = SOURCES / "fuzz" / "corpus"


def fuzz(folder: Path, *arguments: str) -> str:
    """The fuzzer's log; fails with its finding."""
    found, seeds = folder / "found", folder / "seeds"
    found.mkdir()
    write(seeds, [])
    binary = fuzzer_build() / "fuzz" / "tfkit_fuzz_delegate"
    environment = {
        **os.environ,
        # A request that no machine could grant fails, as it does without the sanitizer.
        "ASAN_OPTIONS": "allocator_may_return_null=1:max_allocation_size_mb=512",
    }
    # No limit on resident memory: the peak that a process reports starts at that of the one that started it. What a
    # single request may take is limited above.
    limits = ["-max_len=6000", "-timeout=60", "-rss_limit_mb=0", f"-artifact_prefix={folder}/"]
    command = [str(binary), *limits, "-print_final_stats=1", *arguments, str(found), str(CORPUS), str(seeds)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr[-6000:]
    return done.stderr


def executions(log: str) -> int:
    """How many graphs were run."""
    match = re.search(r"stat::number_of_executed_units: (\d+)", log)
    assert match, log[-2000:]
    return int(match.group(1))


def test_for_a_minute(tmp_path: Path) -> None:
    log = fuzz(tmp_path, "-max_total_time=45")
    assert executions(log) >= sum(1 for _ in CORPUS.iterdir())


@pytest.mark.slow
def test_for_ten_minutes(tmp_path: Path) -> None:
    log = fuzz(tmp_path, "-max_total_time=600")
    assert executions(log) >= sum(1 for _ in CORPUS.iterdir())
