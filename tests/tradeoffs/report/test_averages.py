"""Seeds become means with ranges, and every average can be told from its neighbours."""

from __future__ import annotations

import pytest

from helpers.sweep_points import point
from tfkit.tradeoffs.points import Interval
from tfkit.tradeoffs.report.averages import averages, flat
from tfkit.tradeoffs.report.sound import sound


def test_seeds_are_averaged_and_their_range_kept() -> None:
    seeds = [
        point(seed=2, accuracy=0.90, latency_ms=3.0, size_bytes=11, latency_interval=Interval(2.5, 3.1)),
        point(seed=1, accuracy=0.96, latency_ms=2.0, size_bytes=10),
    ]
    (one,) = averages(seeds)
    assert [p.seed for p in one.seeds] == [1, 2]
    assert one.mean.accuracy == pytest.approx(0.93)
    assert one.cost == pytest.approx(2.5)
    assert one.mean.size_bytes == 10  # round(10.5), to even
    assert one.accuracy_range == Interval(0.90, 0.96)
    assert one.cost_range == Interval(2.0, 3.1)


def test_one_seed_has_the_interval_of_its_median_only() -> None:
    (one,) = averages([point(latency_interval=Interval(1.9, 2.2))])
    assert one.accuracy_range is None
    assert one.cost_range == Interval(1.9, 2.2)
    (bare,) = averages([point()])
    assert bare.cost_range is None


def test_emulated_devices_cost_instructions() -> None:
    (one,) = averages([point(instructions=10, seed=0), point(instructions=20, seed=1)])
    assert (one.emulated, one.cost, one.cost_range) == (True, 15, Interval(10, 20))


def test_what_differs_is_kept_apart_and_named() -> None:
    found = averages(
        [
            point(settings={"width": 1.0, "data": "digits", "prune": {"rate": 0.5}}),
            point(settings={"width": 2.0, "data": "digits", "prune": {"rate": 0.5}}),
            point("int8", settings={"width": 2.0, "data": "digits"}),
            point(device="other", settings={"width": 1.0, "data": "digits", "prune": {"rate": 0.5}}),
        ]
    )
    assert [one.label for one in found] == ["width=1.0", "width=2.0", "", "width=1.0"]
    assert found[0].name == "float32, small_cnn, width=1.0"
    assert flat({"a": {"b": [1], "c": "x"}}) == {"a.b": "[1]", "a.c": "x"}


def test_failed_and_waiting_points_count_for_nothing() -> None:
    found = averages([point(), point(seed=1, state="failed", accuracy=0.0), point(seed=2, state="waiting")])
    assert [len(one.seeds) for one in found] == [1]
    assert found[0].mean.accuracy == 0.95


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [((True, True), True), ((True, False), False), ((None, False), False), ((True, None), None)],
)
def test_an_average_is_as_trusted_as_its_worst_seed(verdicts: tuple[bool | None, ...], expected: bool | None) -> None:
    (one,) = averages([point(seed=n, trusted=verdict) for n, verdict in enumerate(verdicts)])
    assert one.mean.trusted is expected


def test_unknown_figures_stay_unknown() -> None:
    (one,) = averages([point(accuracy=None, macs=None), point(seed=1, macs=None)])
    assert (one.mean.accuracy, one.mean.macs, one.accuracy_range) == (0.95, None, None)


def test_what_is_no_figure_is_unknown() -> None:
    interval = Interval(1.0, float("nan"))
    odd = sound(point(accuracy=float("nan"), latency_ms=float("inf"), macs=10**400, latency_interval=interval))
    assert (odd.accuracy, odd.latency_ms, odd.macs, odd.latency_interval) == (None, None, None, None)
    assert odd.parameters == 10_000
