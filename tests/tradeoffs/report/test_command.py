"""``tfkit report`` as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from helpers.sweep_points import point
from tfkit.cli import cli
from tfkit.tradeoffs import SweepError
from tfkit.tradeoffs.report import figures, study, write


def run(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["report", *map(str, arguments)])


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my sweep"
    folder.mkdir()
    monkeypatch.setattr(study, "read_points", lambda where: (point("binary"), point("float32", seed=1)))
    return folder


def test_page_and_csv_are_written(sweep: Path, tmp_path: Path) -> None:
    done = run(sweep, "-o", tmp_path / "r.html", "--csv", tmp_path / "p.csv")
    assert done.exit_code == 0, done.output
    assert "2 points, 2 series, 1 device" in done.stdout
    assert "note: local has binary or few-bit points and no int8 baseline" in done.stderr
    assert "<h1>my sweep</h1>" in (tmp_path / "r.html").read_text()
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 3
    assert list(sweep.iterdir()) == [], "the sweep's folder is left alone"


def test_nothing_is_written_when_a_part_cannot_be(sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise figures.MissingToolError("no matplotlib")

    monkeypatch.setattr(figures, "check_matplotlib", missing)
    for arguments in (["--figures", tmp_path / "f"], ["--csv", tmp_path / "absent" / "p.csv"]):
        done = run(sweep, "-o", tmp_path / "r.html", *arguments)
        assert done.exit_code != 0
        assert not (tmp_path / "r.html").exists()


def test_a_folder_without_a_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="holds no sweep"):
        write(tmp_path, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()
