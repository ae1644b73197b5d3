"""Where the levels of an activation quantizer begin, to the last bit of a float."""

from __future__ import annotations

from typing import Any

import numpy as np

_LARGEST = np.float32(3.0e38)


def thresholds(quantizer: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """(thresholds [n], values [n + 1]): the quantizer gives value k for the k-th interval, closed below.

    Found by bisection over all float32 numbers with the quantizer itself, so that comparing with a threshold decides
    as Keras does, whatever the formula. None when the values do not rise with the input, or are too many.
    """
    values = _values(quantizer)
    if values is None:
        return None
    low = np.full(len(values) - 1, _key(-_LARGEST), np.int64)
    high = np.full(len(values) - 1, _key(_LARGEST), np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        reached = _call(quantizer, _number(middle)) >= values[1:]
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    found = _number(high)
    below = _number(high - 1)
    if not (_call(quantizer, found) == values[1:]).all() or not (_call(quantizer, below) == values[:-1]).all():
        return None
    return found, values


def _values(quantizer: Any) -> np.ndarray | None:
    """All values between the lowest and the highest, each found between two others that differ."""
    ends = _call(quantizer, np.array([-_LARGEST, _LARGEST], np.float32))
    found = {float(ends[0]), float(ends[1])}
    # A value's interval may be any length: look at both signs, all exponents, and evenly in between.
    exponents = np.float32(2.0) ** np.linspace(-24, 24, 49 * 8, dtype=np.float32)
    probe = np.concatenate([-exponents[::-1], exponents, np.linspace(-8, 8, 4097, dtype=np.float32)])
    results = _call(quantizer, np.sort(probe))
    if (np.diff(results) < 0).any() or not np.isfinite(results).all():
        return None
    found |= set(results.tolist())
    return np.array(sorted(found), np.float32) if len(found) <= 256 else None


def _call(quantizer: Any, values: np.ndarray) -> np.ndarray:
    return np.asarray(quantizer(np.asarray(values, np.float32)[None]), np.float32)[0]


def _key(number: np.float32) -> int:
    """Integers in the order of the floats, both zeros at 0."""
    bits = int(np.asarray(number, np.float32).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _number(keys: np.ndarray) -> np.ndarray:
    sizes = np.abs(keys).astype(np.uint32).view(np.float32)
    return np.where(keys < 0, -sizes, sizes).astype(np.float32)
