"""Times of several things by turns, so that what else the machine does hits all of them alike.

Of all calls the shortest counts: whatever else runs can only add to it. The clock is this process' CPU time unless told
otherwise: a busy machine interrupts every call of 30 ms but few of 0.1 ms, and wall time would hold that against the
slower one.
"""

from __future__ import annotations

import contextlib
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

Call = Callable[[], object]
Clock = Callable[[], float]


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Keep this process on the last of its CPUs, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def shortest(
    calls: Mapping[str, Call], *, rounds: int, seconds: float = 0.01, clock: Clock = time.process_time
) -> dict[str, float]:
    """Seconds of the shortest call of each; in a round each is called for so many seconds, twice at least."""
    best = dict.fromkeys(calls, math.inf)
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            end = clock() + seconds
            done = 0
            while done < 2 or clock() < end:
                start = clock()
                call()
                best[name] = min(best[name], clock() - start)
                done += 1
    return best


def geomean(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(math.log(value) for value in values))
