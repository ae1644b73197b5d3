"""Where the levels of a quantizer begin, counted in the sums of the convolution in front of it.

Between the two stand float ops (bias, batch normalization, clips). Their result rises or falls with the sum, so that
bisection with the ops themselves finds the first sum of every level: comparing the sum then decides as the chain of
float32 operations does, for every sum that there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfkit.converters.lowbit.float_steps import Function
from tfkit.converters.lowbit.staircase import key, number

ALWAYS, NEVER = np.iinfo(np.int32).min, np.iinfo(np.int32).max
_NARROW = np.iinfo(np.int16)


@dataclass(frozen=True)
class Thresholds:
    """A value's level is how many thresholds its sum reaches; where ``falls``, the sum turned over.

    Integers are turned over as ``~sum``, floats as ``-sum``: thresholds rise in either case.

    Attributes:
        values: int32 or float32 [thresholds, channels], rising, not strictly.
        falls: bool [channels].
    """

    values: np.ndarray
    falls: np.ndarray

    def stored(self) -> np.ndarray:
        """The values as a file holds them: integers in 16 bits where these suffice."""
        ordinary = self.values[(self.values != ALWAYS) & (self.values != NEVER)]
        if self.values.dtype != np.int32 or (np.abs(ordinary) >= _NARROW.max).any():
            return self.values
        return np.clip(self.values, _NARROW.min, _NARROW.max).astype(np.int16)


def of_integers(values: Function, steps: np.ndarray, most: int, channels: int) -> Thresholds | None:
    """For integer sums of -most to most; ``values`` maps them, float32 [..., channels], to what ``steps`` part.

    None where some sum has no finite value.
    """

    def real(integers: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            return values(integers.astype(np.int32).astype(np.float32))

    falls = _direction(real, steps, np.full(channels, most))
    if falls is None:
        return None
    turn = np.where(falls, -1, 0)
    low, high = _first(lambda found: real(found ^ turn), steps, np.full(channels, -most - 1), np.full(channels, most))
    found = np.where(low, ALWAYS, np.where(high > most, NEVER, high))
    return Thresholds(found.astype(np.int32), falls)


def of_floats(values: Function, steps: np.ndarray, most: np.ndarray) -> Thresholds | None:
    """For float32 sums within +-most [channels]; else as ``of_integers``."""
    keys = key(most.astype(np.float32))

    def real(found: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            return values(number(found))

    falls = _direction(real, steps, keys)
    if falls is None:
        return None
    turn = np.where(falls, -1, 1)
    low, high = _first(lambda found: real(found * turn), steps, -keys, keys)
    found = np.where(low, -np.inf, np.where(high > keys, np.inf, number(np.minimum(high, keys))))
    return Thresholds(found.astype(np.float32), falls)


def _direction(values: Function, steps: np.ndarray, most: np.ndarray) -> np.ndarray | None:
    """Channels whose level falls; None where an end has no finite value."""
    ends = [values(-most), values(most)]
    if not all(np.isfinite(end).all() for end in ends):
        return None
    first, last = ((end[..., None] >= steps).sum(-1) for end in ends)
    return np.asarray(first > last)


def _first(values: Function, steps: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> tuple[np.ndarray, ...]:
    """(whether the lowest reaches the step, the first that does or highest + 1), [steps, channels]."""
    low = np.repeat((lowest - 1).astype(np.int64)[None], len(steps), 0)  # does not reach
    high = np.repeat((highest + 1).astype(np.int64)[None], len(steps), 0)  # reaches
    while (high - low > 1).any():
        # Where the search has ended, the middle is `low`, which may lie outside.
        middle = np.clip((low + high) // 2, lowest, highest)
        reached = values(middle) >= steps[:, None]
        undecided = high - low > 1
        high, low = np.where(undecided & reached, middle, high), np.where(undecided & ~reached, middle, low)
    return high == lowest, high
