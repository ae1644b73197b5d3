"""The Pareto front: points that no other point beats in one respect without losing in the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tfkit._errors import UsageError
from tfkit.tradeoffs.points import Point

Axis = str | Callable[[Point], float | None]

# What a point has, and which direction is better.
_LESS = ("latency_ms", "instructions", "size_bytes", "peak_memory_bytes", "macs", "parameters")
_MORE = ("accuracy", "keras_accuracy")


def front(points: Iterable[Point], x: Axis, y: Axis) -> tuple[Point, ...]:
    """Those of ``points`` that none dominates, by falling quality in ``x``.

    p dominates q when p is at least as good as q in both respects and better in one (Pareto 1906; Kung, Luccio and
    Preparata 1975, "On finding the maxima of a set of vectors"). Points that are equal in both stay together. Points
    without one of the figures, or that failed, are left out.

    Args:
        points: points of one device, or whose figures can be compared.
        x, y: names of figures - less is better for latency, instructions, bytes, MACs and parameters, more is better
            for accuracy - or functions of a point, of which more is better.

    Raises:
        UsageError: an unknown figure.
    """
    value_x, value_y = _better(x), _better(y)
    valued = []
    for point in points:
        a, b = value_x(point), value_y(point)
        if point.state != "failed" and a is not None and b is not None:
            valued.append((a, b, point))
    valued.sort(key=lambda item: (-item[0], -item[1], item[2].key))
    found: list[Point] = []
    best: tuple[float, float] | None = None
    for a, b, point in valued:
        # From the best x on, a point stays when its y is better than that of all before it.
        if best is None or b > best[1] or (a, b) == best:
            found.append(point)
            best = (a, b)
    return tuple(found)


def _better(axis: Axis) -> Callable[[Point], float | None]:
    """The figure as a number of which more is better."""
    if callable(axis):
        return axis
    if axis not in (*_LESS, *_MORE):
        raise UsageError(f"unknown figure {axis!r}; a point has {', '.join((*_MORE, *_LESS))}")
    sign = -1 if axis in _LESS else 1

    def value(point: Point) -> float | None:
        found = getattr(point, axis)
        return None if found is None else sign * found

    return value
