"""The page of the shrunk zoo: rows survive it, and a network that cannot be shrunk says why."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest

from tests.claims import pruned_zoo, pruning_accuracy
from tests.claims.table import rows_of
from tfkit.models import REGISTRY, build

ROW = ("10.0 M", "5.0 M (50%)", "1 MiB", "0.5 MiB", "1.80x", "1.70x", "trusted", "ok", "met")


def test_rows_come_back_in_the_order_of_the_zoo(tmp_path: Path) -> None:
    page = tmp_path / "ZOO.md"
    assert rows_of(page, pruned_zoo.HEADINGS) == {}
    names = list(REGISTRY)[:3]
    rows = {name: (name, *ROW) for name in reversed(names)}
    page.write_text(pruned_zoo.page(rows))
    found = rows_of(page, pruned_zoo.HEADINGS)
    assert found == rows
    assert list(found) == names


def test_one_method_measured_anew_leaves_the_others() -> None:
    before = rows_of(pruning_accuracy.PAGE, pruning_accuracy.HEADINGS)
    new = ("psp", "0.0 %", "48.0 %", "98.00", "0.10", "0.80", "2")
    with patch.object(pruning_accuracy, "whole_file", side_effect=AssertionError("nothing is written")):
        text = pruning_accuracy.page([new], 3)
    for name, row in {**before, "psp": new}.items():
        assert f"| {' | '.join(row)} |" in text, name


def test_a_refusal_is_a_row(tmp_path: Path) -> None:
    binary = build("small_cnn", scheme="binary", width=0.25, input_shape=(8, 8, 1))
    with patch.object(pruned_zoo, "build", return_value=binary):
        row = pruned_zoo.row("small_cnn", tmp_path)
    assert len(row) == len(pruned_zoo.HEADINGS)
    assert row[-1].startswith("refused: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_row_of_figures(tmp_path: Path) -> None:
    row = pruned_zoo.row("small_cnn", tmp_path)
    assert len(row) == len(pruned_zoo.HEADINGS)
    assert "(4" in row[2] or "(50%)" in row[2]
    assert row[8] == "ok"
