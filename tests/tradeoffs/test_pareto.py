from __future__ import annotations

import random

import pytest

from tfkit._errors import UsageError
from tfkit.tradeoffs import Point, front

SEED = 8


def point(key: str, accuracy: float | None, latency: float | None, state: str = "done") -> Point:
    return Point(
        key, "float32", "small_cnn", {}, 0, "local", state, accuracy=accuracy, latency_ms=latency, size_bytes=7
    )


def test_front_is_what_nothing_dominates() -> None:
    # The rule itself, over all pairs; few different values, so that ties of every kind occur.
    random_ = random.Random(SEED)
    for size in range(40):
        points = [point(str(i), random_.randrange(6) / 5, random_.randrange(6)) for i in range(size)]

        def dominated(p: Point, others: list[Point] = points) -> bool:
            return any(
                (q.accuracy >= p.accuracy and q.latency_ms <= p.latency_ms)
                and (q.accuracy > p.accuracy or q.latency_ms < p.latency_ms)
                for q in others
            )

        expected = {p.key for p in points if not dominated(p)}
        found = front(points, "latency_ms", "accuracy")
        assert {p.key for p in found} == expected, f"seed {SEED}, size {size}"
        assert [p.latency_ms for p in found] == sorted(p.latency_ms for p in found)


def test_points_without_figures_and_failed_ones_are_left_out() -> None:
    good = point("a", 0.5, 2.0)
    found = front(
        [good, point("b", None, 1.0), point("c", 0.9, None), point("d", 0.9, 1.0, "failed")], "latency_ms", "accuracy"
    )
    assert found == (good,)


def test_functions_are_axes_of_which_more_is_better() -> None:
    points = [point("a", 0.5, 1.0), point("b", 0.6, 2.0)]
    found = front(points, lambda p: -p.latency_ms if p.latency_ms else None, lambda p: p.accuracy)
    assert [p.key for p in found] == ["a", "b"]


def test_unknown_figures_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown figure 'speed'; a point has accuracy, keras_accuracy, latency_ms"):
        front([], "speed", "accuracy")
