"""Whether two groups of numbers differ: the Mann-Whitney U test, exact for small groups.

The groups of a benchmark are its processes' medians. Samples within a process share its memory layout, its cores and
the minute it ran in; a thousand of them are not a thousand draws, and a test on them finds any two starts of the same
program different. Five medians against five are few, but they are independent draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tfkit._errors import DataError

# Beyond this the normal approximation is as good as the exact distribution, and the table of sums grows.
EXACT_UP_TO = 60


def smallest_p(first: int, second: int) -> float:
    """The two-sided p-value of groups of these sizes that do not overlap at all: what they can show at best.

    >>> round(smallest_p(5, 5), 4), smallest_p(3, 3), smallest_p(1, 1)
    (0.0079, 0.1, 1.0)
    """
    return min(1.0, 2 / math.comb(first + second, first))


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value that both groups come from one distribution.

    Exact, also with ties, by counting the rank sums of all divisions into two such groups; for more than
    ``EXACT_UP_TO`` numbers the normal approximation with corrections for ties and continuity.

    >>> round(mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]), 4)
    0.0079

    Raises:
        DataError: a group is empty.
    """
    if not first or not second:
        raise DataError(f"groups of {len(first)} and {len(second)} numbers cannot be compared; measure both")
    ranks = _doubled_midranks([*first, *second])
    if len(ranks) <= EXACT_UP_TO:
        return _exact(ranks, len(first))
    return _normal(ranks, len(first))


def _doubled_midranks(values: Sequence[float]) -> list[int]:
    """Twice the rank from 1 of each value; equal values share the mean of their ranks, so twice is an integer."""
    order = sorted(values)
    first: dict[float, int] = {}
    count: dict[float, int] = {}
    for index, value in enumerate(order):
        first.setdefault(value, index)
        count[value] = count.get(value, 0) + 1
    return [2 * first[value] + count[value] + 1 for value in values]


def _exact(ranks: Sequence[int], size: int) -> float:
    """``ways[k][s]``: how many choices of k of the numbers have rank sum s."""
    ways: list[dict[int, int]] = [{0: 1}] + [{} for _ in range(size)]
    for rank in ranks:
        for k in range(size, 0, -1):
            for total, number in ways[k - 1].items():
                ways[k][total + rank] = ways[k].get(total + rank, 0) + number
    seen = sum(ranks[:size])
    below = sum(number for total, number in ways[size].items() if total <= seen)
    above = sum(number for total, number in ways[size].items() if total >= seen)
    return min(1.0, 2 * min(below, above) / math.comb(len(ranks), size))


def _normal(ranks: Sequence[int], size: int) -> float:
    n, m = size, len(ranks) - size
    u = sum(ranks[:n]) / 2 - n * (n + 1) / 2
    ties = sum(count**3 - count for count in (ranks.count(rank) for rank in set(ranks)))
    variance = n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1)))
    if variance <= 0:  # all numbers are equal
        return 1.0
    z = max(0.0, abs(u - n * m / 2) - 0.5) / math.sqrt(variance)
    return min(1.0, math.erfc(z / math.sqrt(2)))
