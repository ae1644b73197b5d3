"""Whether a function works on each value alone, judged by what it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Function = Callable[[Any], Any]


def apply(function: Function, values: np.ndarray) -> np.ndarray:
    """``function`` of constants, which are NaN where a value is not known, and then stay so."""
    import tensorflow as tf

    known = np.isfinite(values)
    found = np.asarray(function(tf.constant(np.where(known, values, 0.0), tf.float32)), np.float64)
    return np.where(known, found, np.nan)


def is_pointwise(function: Function, rank: int) -> bool:
    """Whether y[i] = f(x[i]) for tensors with ``rank`` axes, batch included, with one f for all places.

    Half of the values are changed, and all of them turned around; a softmax notices the first, a function with
    numbers for every channel the second.
    """
    values = np.linspace(-7.9, 7.7, 3 * 2 ** (rank - 2) * 8, dtype=np.float32)
    values = np.random.default_rng(1).permutation(values).reshape(3, *[2] * (rank - 2), 8)
    mask = np.random.default_rng(2).random(values.shape) < 0.5
    try:
        plain = apply(function, values)
        changed = apply(function, np.where(mask, values, values + 1.7))
        turned = apply(function, np.flip(values))
    except Exception:  # whatever a function of the user's raises on this shape: it is not known
        return False
    if plain.shape != values.shape:
        return False
    return bool(np.array_equal(plain[mask], changed[mask]) and np.array_equal(np.flip(plain), turned))
