"""The CSV file gives back what went in, and no spreadsheet computes what a name says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from helpers.sweep_points import point
from tfkit.tradeoffs.points import Interval
from tfkit.tradeoffs.report.spreadsheet import HEADINGS, to_csv, write_csv


def test_every_point_comes_back(tmp_path: Path) -> None:
    points = [
        point('a, "quoted"\nname', accuracy=1 / 3, latency_interval=Interval(1.5, 2.5), settings={"a": {"b": [1, 2]}}),
        point(seed=7, instructions=123, size_bytes=None, trusted=False),
        point(state="failed", reason="train: füll\nof lines", accuracy=None, latency_ms=None, trusted=None),
    ]
    write_csv(points, tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert tuple(found[0]) == HEADINGS
    for row, one in zip(found, points, strict=True):
        assert (row["series"], row["model"], row["device"]) == (one.series, one.model, one.device)
        assert (row["key"], row["state"], row["reason"]) == (one.key, one.state, one.reason or "")
        assert int(row["seed"]) == one.seed
        for name in ("accuracy", "keras_accuracy", "latency_ms"):
            assert (float(row[name]) if row[name] else None) == getattr(one, name)
        for name in ("instructions", "size_bytes", "peak_memory_bytes", "macs", "parameters"):
            assert (int(row[name]) if row[name] else None) == getattr(one, name)
        assert {"yes": True, "no": False, "": None}[row["trusted"]] is one.trusted
    assert (found[0]["latency_low_ms"], found[0]["latency_high_ms"]) == ("1.5", "2.5")
    assert found[0]["settings"] == "a.b=[1, 2]"


def test_no_name_is_a_formula() -> None:
    for start in "=+-@\t\r":
        text = to_csv([point(f"{start}1+1", model="=HYPERLINK()")])
        (row,) = csv.DictReader(io.StringIO(text, newline=""))
        assert row["series"] == f"'{start}1+1"
        assert row["model"] == "'=HYPERLINK()"
    (row,) = csv.DictReader(to_csv([point(accuracy=-1e-9)]).splitlines())
    assert float(row["accuracy"]) == -1e-9, "numbers are no text"


def test_text_that_is_no_unicode_can_be_written(tmp_path: Path) -> None:
    write_csv([point("lone \ud800 surrogate")], tmp_path / "p.csv")
    assert "\\ud800" in (tmp_path / "p.csv").read_text()
