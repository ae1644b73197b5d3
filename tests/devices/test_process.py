"""Host processes end, or are ended with everything they started."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tfkit._errors import DeviceError
from tfkit.devices import process


def test_exit_code_and_both_streams() -> None:
    done = process.run(["/bin/sh", "-c", "echo out; echo err >&2; exit 42"], timeout=30)
    assert (done.exit_code, done.stdout, done.stderr) == (42, "out\n", "err\n")


def test_a_signal_is_128_plus_its_number() -> None:
    done = process.run(["/bin/sh", "-c", "kill -SEGV $$"], timeout=30)
    assert (done.exit_code, done.signal) == (139, 11)


def test_output_that_is_no_text() -> None:
    assert process.run(["/usr/bin/printf", r"\377ok"], timeout=30).stdout == "\ufffdok"


def test_the_time_limit_ends_children_too(tmp_path: Path) -> None:
    file = tmp_path / "child"
    with pytest.raises(DeviceError, match=r"sh has not ended after 0.5 s and was killed"):
        process.run(["/bin/sh", "-c", f"sleep 600 & echo $! > {file}; wait"], timeout=0.5)
    child = int(file.read_text())
    for _ in range(100):  # the kernel reaps an orphan in its own time
        if not _alive(child):
            break
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("command", [["/nonexistent/program"], ["/etc/passwd"], ["/bin/echo", "a\0b"]])
def test_programs_that_cannot_start(command: list[str]) -> None:
    with pytest.raises(DeviceError, match=f"cannot start {command[0]}"):
        process.run(command, timeout=5)


def test_the_environment_is_the_given_one() -> None:
    os.environ["TFKIT_TEST_LEAK"] = "1"
    try:
        done = process.run(["/usr/bin/env"], timeout=30, environment={"ONLY": "this"})
    finally:
        del os.environ["TFKIT_TEST_LEAK"]
    assert done.stdout == "ONLY=this\n"
