"""Fronts by brute force, precisions, and the warnings of devices whose binary points have nothing to stand beside."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from helpers.bench_documents import written
from helpers.sweep_points import point, study_points
from tfkit.tradeoffs.points import Point
from tfkit.tradeoffs.report.artifacts import read
from tfkit.tradeoffs.report.families import family
from tfkit.tradeoffs.report.study import Study

SEED = 51


def unbeaten(points: list[Point]) -> set[str]:
    """Keys of the points that no other one dominates, by looking at every pair."""

    def beats(p: Any, q: Any) -> bool:
        as_good = p.accuracy >= q.accuracy and p.latency_ms <= q.latency_ms
        return as_good and (p.accuracy > q.accuracy or p.latency_ms < q.latency_ms)

    return {q.key for q in points if not any(beats(p, q) for p in points)}


@pytest.mark.parametrize("values", [4, 1000])  # few values bring ties
def test_the_front_is_what_nothing_trusted_beats(values: int) -> None:
    chance = random.Random(SEED)
    for _ in range(60):
        points = [
            point(
                settings={"width": n},
                accuracy=chance.randrange(values) / values,
                latency_ms=1.0 + chance.randrange(values),
                trusted=chance.random() < 0.7,
            )
            for n in range(chance.randrange(1, 25))
        ]
        (device,) = Study.of("random", points).devices
        trusted = [p for p in points if p.trusted]
        assert device.front == unbeaten(trusted or points)
        assert bool(device.remarks) == (not trusted)


def test_devices_have_fronts_of_their_own() -> None:
    points = [point(), point(device="slow", latency_ms=50.0), point(device="qemu:x", instructions=7)]
    devices = Study.of("three", points).devices
    assert [(d.name, d.emulated, len(d.front)) for d in devices] == [
        ("local", False, 1),
        ("slow", False, 1),
        ("qemu:x", True, 1),
    ]


@pytest.mark.parametrize(
    ("series", "declared", "expected"),
    [
        ("mine", ("int8", "binary"), "binary"),
        ("int8 look-alike", ("few-bit",), "few-bit"),
        ("mine", ("int8",), "int8"),
        ("int8 look-alike", ("sparse",), "float"),
        ("binary", None, "binary"),
        ("lsq_w2 lsq_a2", None, "few-bit"),
        ("W2A2 lsq", None, "few-bit"),
        ("psp channel 0.5 + int8 QAT", None, "int8"),
        ("float32", None, "float"),
    ],
)
def test_the_ledger_says_what_a_series_is(
    series: str, declared: tuple[str, ...] | None, expected: str, tmp_path: Path
) -> None:
    entries = None if declared is None else {"entries": [{"declared": name, "precision": name} for name in declared]}
    assert family(series, entries) == expected
    if entries:  # as `tfkit convert --json` nests it
        assert family(series, read(written(tmp_path, "l.json", {"ledger": entries}))) == expected


def test_binary_without_int8_is_said_to_prove_nothing() -> None:
    (device,) = Study.of("s", [point("binary"), point("float32")]).devices
    assert "no int8 baseline" in device.remarks[0]
    assert device.comparisons[0].verdict == "no int8 point is comparable, so nothing follows"
    (plain,) = Study.of("s", [point("float32")]).devices
    assert plain.remarks == ()


@pytest.mark.parametrize(
    ("int8", "verdict", "remarks"),
    [
        ({"accuracy": 0.95, "latency_ms": 0.9}, "int8 is at least as good in both", 0),
        ({"accuracy": 0.91, "latency_ms": 3.0}, "3.00 times faster than int8 of at least this accuracy", 0),
        ({"accuracy": 0.87, "latency_ms": 0.9}, "3.0 points above the best int8 at this cost", 0),
        ({"accuracy": 0.60, "latency_ms": 9.0}, "no int8 point is comparable, so nothing follows", 1),
        ({"accuracy": 0.89, "latency_ms": 1.2}, "no int8 point reaches its accuracy or its cost", 0),
        ({"accuracy": 0.95, "latency_ms": 0.9, "trusted": False}, "no int8 point is comparable, so nothing follows", 1),
    ],
)
def test_int8_stands_beside_each_binary_point(int8: dict[str, Any], verdict: str, remarks: int) -> None:
    (device,) = Study.of("s", [point("binary", accuracy=0.90, latency_ms=1.0), point("int8 QAT", **int8)]).devices
    assert device.comparisons[0].verdict == verdict
    assert len(device.remarks) == remarks


def test_where_nothing_is_trusted_int8_still_stands_beside_binary() -> None:
    points = [point("binary", accuracy=0.9, trusted=False), point("int8", trusted=False)]
    (device,) = Study.of("s", points).devices
    assert device.comparisons[0].verdict == "int8 is at least as good in both"
    (remark,) = device.remarks
    assert remark.startswith("local: no measurement is trusted")


def test_instructions_are_not_called_time() -> None:
    points = [point("binary", instructions=100, accuracy=0.9), point("int8", instructions=150, accuracy=0.9)]
    (device,) = Study.of("s", points).devices
    assert device.comparisons[0].verdict == "1.50 times fewer instructions than int8 of at least this accuracy"


def test_a_whole_study_is_read(tmp_path: Path) -> None:
    study = Study.of("study", study_points(tmp_path))
    assert study.summary == "96 points, 5 series, 2 devices, 1 failed"
    assert set(study.families.values()) == {"float", "int8", "binary", "few-bit"}
    local, emulated = study.devices
    assert local.remarks == ()
    assert "no int8 baseline" in emulated.remarks[0]
    assert len(local.comparisons) == len(emulated.comparisons) == 8
