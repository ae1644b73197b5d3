"""How long the command line takes to answer: CPU seconds of a whole process, the median of several."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator

from tests.claims import target

TITLE = "Start-up: CPU time of a whole process"
MOST = {"--help": 0.3}
TARGET = "`tfkit --help` at most 0.30 s"
HEADINGS = ("command", "CPU time", target.HEADING)
REPEATS = 9


def _cpu_seconds(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "tfkit", *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows() -> Iterator[tuple[str, ...]]:
    """One line per command that needs no TensorFlow."""
    for arguments in (["--help"], ["convert", "--help"], ["models"]):
        seconds = statistics.median(_cpu_seconds(arguments) for _ in range(REPEATS))
        command = " ".join(arguments)
        judged = target.at_most(seconds, MOST[command]) if command in MOST else ""
        yield f"`tfkit {command}`", f"{seconds:.2f} s", judged
