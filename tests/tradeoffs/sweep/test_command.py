from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tfkit.cli import cli

SPEC = """[data]
name = "digits"
[[model]]
name = "small_cnn"
[[compression]]
format = ["float32", "float16"]
[[compression]]
int8 = "qat"
"""


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["sweep", *arguments])


def test_plan_says_what_it_would_take(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SPEC)
    done = run(str(tmp_path / "s.toml"), "-o", str(tmp_path / "study"), "--plan")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "3 points: 1 models x 3 compressions x 1 seeds x 1 devices"
    table = {line.split()[0]: line.split()[1:4] for line in lines[2:7]}
    assert table == {
        "train": ["1", "0", "1"],
        "tune": ["1", "0", "1"],
        "convert": ["3", "0", "3"],
        "verify": ["3", "0", "3"],
        "bench": ["3", "0", "3"],
    }
    assert all(line.endswith(" guessed") for line in lines[2:7])
    assert not (tmp_path / "study").exists(), "a plan changes nothing"


def test_wrong_calls(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SPEC.replace("float16", "float61"))
    done = run(str(tmp_path / "s.toml"), "-o", str(tmp_path / "study"))
    assert "s.toml, line 6: format is 'float61' (did you mean 'float16'" in str(done.exception)
    assert done.exception.exit_code == 2
    done = run(str(tmp_path / "none.toml"), "-o", str(tmp_path / "study"))
    assert "cannot read" in str(done.exception)
    assert not (tmp_path / "study").exists()
