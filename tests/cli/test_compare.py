"""``tfkit compare`` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from helpers.bench_documents import process, report, result, written


def tfkit(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tfkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


def measured(folder: Path, name: str, milliseconds: float) -> Path:
    processes = [process([round(milliseconds * 1e6) + 1000 * i] * 64) for i in range(5)]
    return written(folder, name, report(result("m.tflite", processes)))


def test_a_regression_is_exit_code_3_where_that_is_asked(tmp_path: Path) -> None:
    measured(tmp_path, "a.json", 10.0)
    measured(tmp_path, "b.json", 11.0)
    plain = tfkit("compare", "a.json", "b.json", cwd=tmp_path)
    assert (plain.returncode, plain.stderr) == (0, "")
    assert plain.stdout.splitlines()[2].split() == ["m.tflite", "1", "10", "ms", "11", "ms", "+10.0%", "slower"]
    failing = tfkit("compare", "a.json", "b.json", "--fail-on-regression", cwd=tmp_path)
    assert failing.returncode == 3
    assert failing.stdout == plain.stdout
    assert failing.stderr == "error: slower than in a.json: m.tflite with 1 threads by 10.0%\n"
    better = tfkit("compare", "b.json", "a.json", "--fail-on-regression", "--json", cwd=tmp_path)
    assert better.returncode == 0
    document = json.loads(better.stdout)
    assert document["schema_version"] == 1
    assert document["rows"][0]["verdict"] == "faster"
    assert set(document["rows"][0]) == {
        *("model", "threads", "verdict", "reason", "first_s", "second_s", "change", "p", "threshold"),
        *("processes", "gates"),
    }


def test_mistakes_are_one_message(tmp_path: Path) -> None:
    measured(tmp_path, "a.json", 10.0)
    (tmp_path / "old.json").write_text('{"schema_version": 1}')
    for arguments, code, message in (
        (["a.json"], 2, "Missing argument 'AFTER.json'"),
        (["a.json", "old.json"], 1, "measure again with this tfkit"),
        (["a.json", "none.json"], 1, "cannot read none.json"),
    ):
        done = tfkit("compare", *arguments, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
