"""Whatever a document holds in place of what it should, a point opens and says what it can."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.sweep_points import point, study_points
from tfkit.tradeoffs.report.artifacts import MOST_BYTES, Unreadable, read, result_of
from tfkit.tradeoffs.report.averages import averages
from tfkit.tradeoffs.report.details import Details
from tfkit.tradeoffs.report.markup import written
from tfkit.tradeoffs.report.parts.profile import profile

SEED = 77
JUNK: tuple[Any, ...] = (None, True, -1, 1e308, "text", [], {}, [[]], [None], {"a": {}}, "x" * 5000, [1, "a"], "\ud800")
JUNK += (float("nan"), float("inf"), 10**400)


def opened(**artifacts: Path) -> str:
    details = Details()
    (one,) = averages([point(artifacts=artifacts)])
    details.add(0, one, on_front=False)
    return "".join(map(written, details.templates()))


def changed(value: Any, chance: random.Random) -> Any:
    """``value`` with about a tenth of its parts replaced by something else."""
    if chance.random() < 0.1:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: changed(part, chance) for key, part in value.items() if chance.random() > 0.05}
    return [changed(part, chance) for part in value] if isinstance(value, list) else value


def test_documents_of_another_form_are_shown_as_far_as_they_go(tmp_path: Path) -> None:
    (tmp_path / "sound").mkdir()
    sound = study_points(tmp_path / "sound", seeds=1)[8].artifacts
    contents = {name: json.loads(path.read_text()) for name, path in sound.items()}
    for process in contents["bench"]["results"][0]["processes"]:
        process["measurement"] = None  # samples, which nobody shows
    chance = random.Random(SEED)
    for _ in range(40):
        paths = {}
        for name, content in contents.items():
            paths[name] = tmp_path / f"{name}.json"
            paths[name].write_text(json.dumps(changed(content, chance)))
        assert "Parity with Keras" in opened(**paths)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.write_text("{"), "is no JSON"),
        (lambda path: path.write_text("[1]"), "holds no JSON object"),
        (lambda path: path.write_text("[" * 100_000), "is no JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is no JSON"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: None, "No such file"),
        (lambda path: path.open("wb").truncate(MOST_BYTES + 1), "more than 64 MiB"),
    ],
)
def test_documents_that_cannot_be_read_say_so(spoil: Callable[[Path], Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    spoil(path)
    found = read(path)
    assert isinstance(found, Unreadable)
    assert says in found.reason
    text = opened(ledger=path, parity=path, bench=path)
    assert text.count("cannot be read") >= 3


def test_points_without_documents_say_so() -> None:
    text = opened()
    for says in ("no ledger", "no parity check", "no measurement", "no profile"):
        assert says in text


def test_the_result_is_that_of_the_points_own_file() -> None:
    document = {"results": [{"model": {"name": "a"}}, {"model": {"name": "b"}}]}
    assert result_of(document, Path("x/b"))["model"]["name"] == "b"
    assert result_of(document, Path("x/c"))["model"]["name"] == "a"
    assert result_of({"results": [3]}, None) == {}


def test_a_time_below_the_clock_is_no_figure() -> None:
    row = {"layer": "l", "op": "ADD", "seconds": 0.0, "share": 0.0, "resolution": 1e-6}
    assert "&lt; 1 us" in written(profile({"profile": {"rows": [row]}}))
    assert "2 us" in written(profile({"profile": {"rows": [{**row, "seconds": 2e-6}]}}))


def test_each_seed_opens_by_itself(tmp_path: Path) -> None:
    points = [p for p in study_points(tmp_path, seeds=2) if p.series == "binary" and p.state == "done"][:2]
    details = Details()
    (one,) = averages(points)
    details.add(4, one, on_front=True)
    first = written(list(details.templates())[-1])
    assert 'id="point-4"' in first
    assert "Seed 0" in first
    assert "Seed 1" in first
