"""The whole road, with less training than a person gets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tfkit._errors import InputError, MissingToolError
from tfkit.converters import Conversion, Ledger, Parity
from tfkit.converters.pipeline import Rejected
from tfkit.devices import qemu
from tfkit.quickstart import road, twins


@pytest.mark.qemu
def test_the_road_is_walked_and_training_is_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(road, "TWINS", tuple(replace(twin, epochs=3) for twin in twins.TWINS))
    lines: list[str] = []
    result = road.run(tmp_path, lines.append)
    assert result.ok, result.table()
    assert [row.format for row in result.rows] == ["float32", "int8", "float32", "lce"]
    for row in result.rows:
        assert row.keras_accuracy > 0.5
        # The last bit of a float sum may decide a near tie between two classes: one image of 450 at most.
        assert abs(row.keras_accuracy - row.flatbuffer_accuracy) <= 1 / 450
    float32, int8, sparse, binary = (row.size_bytes for row in result.rows)
    assert binary < int8 < float32
    assert sparse < 0.5 * float32
    assert json.loads((tmp_path / "report.json").read_text())["ok"] is True
    assert "tfkit quickstart" in (tmp_path / "report.html").read_text()

    (tmp_path / "binary.keras").write_text("damaged")
    lines.clear()
    road.run(tmp_path, lines.append)
    reused = [line for line in lines if "trained before" in line]
    assert len(reused) == 3
    assert any("damaged; training again" in line for line in lines)


def test_what_is_rejected_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parity = Parity("float", "litert", 0, (), failures=("wrong",))
    conversion = Conversion(b"bytes", Ledger(()), parity, "float32", {})

    def refuse(*_: object, **__: object) -> Conversion:
        raise Rejected(parity, conversion)

    monkeypatch.setattr(road.converters, "convert", refuse)
    (tmp_path / "float32.tflite").write_text("from an earlier run")
    assert road._converted(twins.TWINS[0], None, tmp_path, print) == (conversion, tmp_path / "float32.rejected.tflite")
    assert [path.name for path in tmp_path.iterdir()] == ["float32.rejected.tflite"]


def test_nothing_is_trained_where_the_end_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(road, "TWINS", ())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write into"):
        road.run(tmp_path / "file" / "folder", print)
    monkeypatch.setattr(qemu, "SYSROOT", tmp_path)
    with pytest.raises(MissingToolError, match="apt-get install"):
        road.run(tmp_path / "out", pytest.fail)
