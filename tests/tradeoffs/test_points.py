from __future__ import annotations

import functools
import shutil
import sqlite3
from pathlib import Path

import pytest

from helpers import sweeps
from tfkit.tradeoffs import Interval, SweepError, read_points
from tfkit.tradeoffs.sweep.run import carry_out

TEXT = (
    sweeps.SMALL.replace('"small_cnn"', '"small_cnn"\nwidth = 0.5')
    + '[[device]]\nname = ["local", "qemu:cortex-a76"]\n'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("points") / "sweep"
    log = made.parent / "log"
    carry_out(
        sweeps.planned(TEXT),
        made,
        sweeps.InlinePool,
        functools.partial(sweeps.carry, log=log),
        functools.partial(sweeps.measure, log=log),
    )
    return made


def changed(folder: Path, target: Path, statement: str) -> Path:
    shutil.copytree(folder, target)
    with sqlite3.connect(target / "sweep.sqlite") as connection:
        connection.execute(statement)
    connection.close()
    return target


def test_points_have_what_their_steps_gave(folder: Path) -> None:
    points = read_points(folder)
    assert len(points) == 4 * 2
    assert {point.state for point in points} == {"done"}
    assert {point.series for point in points} == {"float32", "float16", "binary", "psp channel 0.5 + int8 QAT"}
    first = points[0]
    assert (first.model, first.device, first.seed) == ("small_cnn", "local", 0)
    assert first.settings == {"data": "digits", "width": 0.5, "format": "float32"}
    assert first.latency_interval == Interval(0.0, 20.0)
    assert first.trusted is True
    assert (first.instructions, first.reason) == (None, None)
    assert set(first.artifacts) == {"keras", "tflite", "parity", "bench"}
    assert all(path.is_file() for path in first.artifacts.values())
    assert len({point.key for point in points}) == len(points)


def test_a_finished_sweep_is_read_where_nothing_can_be_written(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(folder / "sweep.sqlite", copy)
    copy.chmod(0o500)
    try:
        assert len(read_points(copy)) == len(read_points(folder))
        assert [path.name for path in copy.iterdir()] == ["sweep.sqlite"]
    finally:
        copy.chmod(0o700)


def test_a_point_waits_until_all_its_steps_are_done(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path / "copy", "DELETE FROM steps WHERE kind = 'bench'")
    points = read_points(copy)
    assert {point.state for point in points} == {"waiting"}
    assert points[0].accuracy is not None
    assert points[0].latency_ms is None


def test_what_is_no_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"holds no sweep: there is no sweep\.sqlite; give the folder"):
        read_points(tmp_path)
    (tmp_path / "sweep.sqlite").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    with pytest.raises(SweepError, match="damaged"):
        read_points(tmp_path)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("PRAGMA user_version = 9", "has version 9, this tfkit reads 1"),
        ("UPDATE steps SET figures = 'x'", "damaged"),
        ("UPDATE steps SET figures = '[1]'", "damaged"),
        ("""UPDATE steps SET figures = '{"latency_interval_ms": 3}' WHERE kind = 'bench'""", "damaged"),
        ("""UPDATE steps SET artifacts = '{"keras": "../../etc/passwd"}'""", "damaged"),
        ("UPDATE points SET settings = '" + "[" * 100_000 + "'", "damaged"),
        ("UPDATE points SET steps = '3'", "damaged"),
        ("DROP TABLE steps", "damaged"),
    ],
)
def test_damaged_sweeps_are_refused(folder: Path, tmp_path: Path, statement: str, message: str) -> None:
    copy = changed(folder, tmp_path / "copy", statement)
    with pytest.raises(SweepError, match=message):
        read_points(copy)
