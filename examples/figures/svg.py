"""What plots are made of: logarithmic axes, and points with the range of their seeds."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis: the values ``low`` to ``high`` on the pixels ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Iterable[float], start: float, end: float, least: float = 0.0) -> Axis:
        """With some room around values; what lies below ``least`` is drawn there."""
        known = [max(value, least) for value in values]
        return cls(min(known) / 1.2, max(known) * 1.2, start, end)

    def at(self, value: float) -> float:
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.start + (self.end - self.start) * share

    def ticks(self) -> Iterator[float]:
        """1, 2 and 5 times the powers of ten; without the 2 and the 5 where there are many powers."""
        decades = math.log10(self.high / self.low)
        for power in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1):
            for digit in (1, 2, 5) if decades < 3 else (1,):
                if self.low <= digit * 10.0**power <= self.high:
                    yield digit * 10.0**power


def document(width: int, height: int, parts: Iterable[str]) -> str:
    """The file."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
    return "\n".join(
        [head + 'font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>\n"]
    )


def text(x: float, y: float, words: str, anchor: str = "start", colour: str = "black") -> str:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escaped}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"/>'


def dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'


def point(x: float, axis: Axis, values: Sequence[float], colour: str) -> list[str]:
    """A dot for the mean, a line from the lowest to the highest seed."""
    low, high = axis.at(min(values)), axis.at(max(values))
    return [line(x, low, x, high, colour, 2), dot(x, axis.at(statistics.fmean(values)), colour)]


def levels(axis: Axis, left: float, right: float) -> Iterator[str]:
    """The grid lines of a vertical axis, with their values at the left."""
    for tick in axis.ticks():
        yield line(left, axis.at(tick), right, axis.at(tick), "#ddd")
        yield text(left - 6, axis.at(tick) + 4, f"{tick:g}", "end")


def legend(left: float, entries: Sequence[tuple[str, str]], title: str = "test error in percent") -> list[str]:
    """The title of the vertical axis and what the colours mean, in one line at the top."""
    parts, x = [text(left, 18, title)], left + 160.0
    for name, colour in entries:
        parts += [dot(x, 14, colour), text(x + 8, 18, name)]
        x += 40 + 6.5 * len(name)
    return parts


def panel(
    x: Axis, y: Axis, title: str, curves: Iterable[tuple[str, Sequence[tuple[float, Sequence[float]]]]]
) -> list[str]:
    """One plot: for each curve its colour and its points (position, values of the seeds), joined by their means."""
    parts = [*levels(y, x.start, x.end)]
    for tick in x.ticks():
        parts.append(line(x.at(tick), y.start, x.at(tick), y.end, "#ddd"))
        parts.append(text(x.at(tick), y.start + 16, f"{tick:,.12g}", "middle"))
    parts.append(text((x.start + x.end) / 2, y.start + 34, title, "middle"))
    for colour, points in curves:
        places = [(x.at(position), y.at(statistics.fmean(values))) for position, values in points]
        parts += [line(*one, *other, colour) for one, other in itertools.pairwise(places)]
        for position, values in points:
            parts += point(x.at(position), y, values, colour)
    return parts
