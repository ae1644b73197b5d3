"""The order of processes, and what is left of it after an interruption or on another day."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from tfkit.bench.plan import Key, plan, remaining, scatters
from tfkit.bench.spec import PRESETS

STANDARD, PUBLISH = PRESETS["standard"], PRESETS["publish"]
TODAY = "2026-03-02"


def on(*days: str) -> list[dict[str, Any]]:
    return [{"host": {"started": f"{day}T08:00:00+00:00"}} for day in days]


def test_the_presets_are_those_of_the_documentation() -> None:
    assert list(PRESETS) == ["quick", "standard", "publish"]
    shown = {name: (p.runs, p.min_seconds, p.max_seconds, p.processes, p.days) for name, p in PRESETS.items()}
    assert shown["quick"] == (64, 0.0, 60.0, 1, 1)
    assert shown["standard"] == (256, 3.0, 60.0, 5, 1)
    assert shown["publish"] == (1024, 60.0, 600.0, 5, 2)
    assert {p.cool_seconds for p in (STANDARD, PUBLISH)} == {300.0}
    for preset in (STANDARD, PUBLISH):
        assert (preset.warmup_runs, preset.warmup_seconds, preset.warmup_stable_seconds) == (10, 1.0, 5.0)


def test_each_round_has_every_process_once_in_another_order() -> None:
    whole = plan(3, (1, 2), STANDARD, seed=1)
    rounds = [whole[6 * i : 6 * i + 6] for i in range(5)]
    assert all(sorted(turn) == [(m, t) for m in range(3) for t in (1, 2)] for turn in rounds)
    assert len({tuple(turn) for turn in rounds}) > 1
    assert whole == plan(3, (1, 2), STANDARD, seed=1) != plan(3, (1, 2), STANDARD, seed=2)


def test_what_is_done_is_not_done_again() -> None:
    whole = plan(2, (1,), STANDARD, seed=3)
    done: dict[Key, list[dict[str, Any]]] = {(0, 1): on(TODAY, TODAY), (1, 1): on(TODAY)}
    left = list(remaining(whole, done, STANDARD, TODAY))
    assert Counter(left) == {(0, 1): 3, (1, 1): 4}
    assert left[-5:] == whole[-5:]  # the rest of the plan is unchanged
    assert list(remaining(whole, {key: on(*[TODAY] * 5) for key in done}, STANDARD, TODAY)) == []


def test_publish_measures_five_processes_a_day() -> None:
    whole = plan(1, (1,), PUBLISH, seed=0)
    assert len(whole) == 10
    assert len(list(remaining(whole, {}, PUBLISH, TODAY))) == 5
    assert list(remaining(whole, {(0, 1): on(*[TODAY] * 5)}, PUBLISH, TODAY)) == []
    assert len(list(remaining(whole, {(0, 1): on(*[TODAY] * 5)}, PUBLISH, "2026-03-03"))) == 5
    assert len(list(remaining(whole, {(0, 1): on("2026-03-01", TODAY, TODAY)}, PUBLISH, TODAY))) == 3


def test_more_processes_are_due_where_they_scatter_and_only_up_to_the_presets_number() -> None:
    assert STANDARD.extra_processes == 5
    assert scatters(0.03, 5, STANDARD)
    assert scatters(0.03, 9, STANDARD)
    assert not scatters(0.03, 10, STANDARD)
    assert not scatters(0.025, 5, STANDARD)
    assert not scatters(None, 1, STANDARD)
    assert not scatters(0.5, 10, PUBLISH)
    assert not scatters(0.5, 1, PRESETS["quick"])


def test_one_process_needs_no_order() -> None:
    assert plan(3, (1,), replace(STANDARD, processes=1), seed=9) == [(0, 1), (1, 1), (2, 1)]
