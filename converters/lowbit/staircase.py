"""Where the levels of an activation quantizer begin, to the last bit of a float."""

from __future__ import annotations

from typing import Any

import numpy as np

_LARGEST = np.float32(3.0e38)
_EXPONENTS = np.float32(2.0) ** np.linspace(-24, 24, 49 * 8, dtype=np.float32)
_PROBE = np.concatenate([-_EXPONENTS, _EXPONENTS, np.linspace(-8, 8, 4097, dtype=np.float32)])


def thresholds(quantizer: Any, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(thresholds [n], values [n + 1]): the quantizer gives value k for the k-th interval, closed below.

    Found by bisection over all float32 numbers with the quantizer itself, so that comparing with a threshold decides
    as Keras does, whatever the formula; ``levels`` only says where to look. None when the values do not rise with the
    input, or when there are others.
    """
    wanted = np.sort(np.unique(np.asarray(levels, np.float32)))
    targets = (wanted[:-1] + wanted[1:]) / 2
    low = np.full(len(targets), key(-_LARGEST), np.int64)
    high = np.full(len(targets), key(_LARGEST), np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        reached = _call(quantizer, number(middle)) >= targets
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    found = np.unique(number(high))  # a level that no input gives shares its threshold with the next
    values = np.append(_call(quantizer, [-_LARGEST]), _call(quantizer, found))
    below = _call(quantizer, number(key(found) - 1))
    # Between two thresholds, and beyond the last, there is nothing else.
    probe = np.sort(np.concatenate([found, _PROBE]))
    steps = values[np.searchsorted(found, probe, side="right")]
    same = np.array_equal(below, values[:-1]) and np.array_equal(_call(quantizer, probe), steps)
    return (found, values) if same and (np.diff(values) > 0).all() else None


def _call(quantizer: Any, values: Any) -> np.ndarray:
    return np.asarray(quantizer(np.asarray(values, np.float32)[None]), np.float32)[0]


def key(numbers: Any) -> np.ndarray:
    """Integers in the order of the float32 ``numbers``, both zeros at 0."""
    bits = np.asarray(numbers, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


def number(keys: np.ndarray) -> np.ndarray:
    """The float32 numbers of such integers."""
    sizes = np.abs(keys).astype(np.uint32).view(np.float32)
    return np.where(keys < 0, -sizes, sizes).astype(np.float32)
