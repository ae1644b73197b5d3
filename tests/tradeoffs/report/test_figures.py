"""Figures for a paper, with matplotlib; without it a message that says what to install."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from helpers.sweep_points import EVIL, point, study_points
from tfkit._errors import InputError, MissingToolError
from tfkit.tradeoffs.report import figures
from tfkit.tradeoffs.report.study import Study


def test_without_matplotlib_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingToolError, match=r"pip install 'tfkit\[figures\]'"):
        figures.check_matplotlib()


@pytest.mark.slow
def test_each_chart_is_drawn_in_each_format(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    study = Study.of("study", study_points(tmp_path / "documents", seeds=2))
    written = figures.write_figures(study, tmp_path / "figures")
    names = ["tradeoff-local", "tradeoff-qemu-cortex-a76", "size", "memory", "macs", "parameters"]
    assert [path.name for path in written] == [f"{name}.{kind}" for name in names for kind in ("png", "svg", "pdf")]
    assert (tmp_path / "figures" / "size.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "figures" / "size.pdf").read_bytes().startswith(b"%PDF")
    text = "".join(ElementTree.parse(tmp_path / "figures" / "tradeoff-local.svg").getroot().itertext())
    for said in (*study.series, "Pareto front", "throughput (inferences per second)", "binary, not trusted"):
        assert said in text
    emulated = "".join(ElementTree.parse(tmp_path / "figures" / "tradeoff-qemu-cortex-a76.svg").getroot().itertext())
    assert "instructions per inference" in emulated
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == sorted(path.name for path in written)


def test_names_are_drawn_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ("svg",))
    monkeypatch.setattr(figures, "_BARS", figures._BARS[:1])
    names = (EVIL, "$\\frac{", "_hidden", "../../etc/passwd")
    points = [point(name, device=device) for name in names for device in names]
    written = figures.write_figures(Study.of("s", points), tmp_path / "figures")
    assert {path.parent for path in written} == {tmp_path / "figures"}
    assert len({path.name.lower() for path in written}) == len(written) == 5
    for path in written:
        text = "".join(ElementTree.parse(path).getroot().itertext())
        assert "$\\frac{" in text
        assert "_hidden" in text


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another folder"):
        figures.write_figures(Study.of("s", [point()]), tmp_path / "file" / "figures")
