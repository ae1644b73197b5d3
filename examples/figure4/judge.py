"""Which of two lines of a figure is the better one, judged by their points and the spread of the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from figure4.points import Point
from figures.results import spread

HOLDS, FAILS = "holds", "does not hold"
WITHIN, CROSSING, ONE_SEED = (
    f"undecided {why}" for why in ("within the spread", "as each has points of its own", "with one seed")
)
SAME = 1.1  # costs up to so many times as high count as equal: cuts come in steps, and times vary
RULE = (
    "A point covers another if it costs no more and its mean error is not higher by more than the seeds of either "
    f"differ; costs within {SAME - 1:.0%} count as equal. The better line is the one that covers the larger share of "
    "the other's points, unpruned ones included; where the shares are equal, nothing is decided, nor with one seed."
)
HEADINGS = ("| the survey found | by | here | covers | is covered |", "|---|---|---|---|---|")


@dataclass(frozen=True)
class Verdict:
    """``covers`` and ``covered``: how many points of the second line the first covers, and the other way round."""

    word: str
    covers: tuple[int, int]
    covered: tuple[int, int]

    def row(self, sentence: str, cost: str) -> str:
        """Of the table of ``HEADINGS``."""
        covers, covered = ("{} of {}".format(*pair) for pair in (self.covers, self.covered))
        return f"| {sentence} | {cost} | **{self.word}** | {covers} | {covered} |"


def covers(one: Point, other: Point, cost: str) -> bool:
    """Whether one point costs no more than another, and errs no more than by what the seeds differ."""
    return one.costs[cost] <= SAME * other.costs[cost] and one.error - other.error <= spread(one.errors, other.errors)


def better(first: Sequence[Point], second: Sequence[Point], cost: str) -> Verdict:
    """Whether the first line is better: covers a larger share of the second's points than the second of its own.

    The coverage metric of Zitzler and Thiele 1999, https://doi.org/10.1109/4235.797969, but within the spread.
    """
    ours, theirs = _coverage(first, second, cost), _coverage(second, first, cost)
    difference = ours[0] * theirs[1] - theirs[0] * ours[1]
    if min(len(point.errors) for point in (*first, *second)) < 2:
        word = ONE_SEED
    elif difference:
        word = HOLDS if difference > 0 else FAILS
    else:
        word = WITHIN if ours[0] == ours[1] else CROSSING
    return Verdict(word, ours, theirs)


def alike(first: Sequence[Point], second: Sequence[Point], cost: str) -> Verdict:
    """Whether each line covers all points of the other."""
    found = better(first, second, cost)
    word = {WITHIN: HOLDS, HOLDS: FAILS}.get(found.word, found.word)
    return Verdict(word, found.covers, found.covered)


def _coverage(first: Sequence[Point], second: Sequence[Point], cost: str) -> tuple[int, int]:
    return sum(any(covers(one, other, cost) for one in first) for other in second), len(second)
