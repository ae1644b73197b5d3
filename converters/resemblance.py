"""How alike two kernels are, whatever scales and signs their channels got on the way."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np


class Rows:
    """A kernel in canonical form (``weights``), and what every comparison with it takes."""

    def __init__(self, kernel: np.ndarray) -> None:
        self.kernel = kernel

    @cached_property
    def norms(self) -> np.ndarray:
        """Of each output channel, float64."""
        norms: np.ndarray = np.linalg.norm(self.kernel, axis=1).astype(np.float64)
        return norms

    @cached_property
    def live(self) -> int:
        """Output channels that are not all zeros, at least one."""
        return max(int(np.count_nonzero(self.norms)), 1)


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    """Mean over output channels of ``|cos|`` between two kernels in canonical form; 0 for other shapes.

    Channels may be scaled and flipped (folded batch normalization, a sign moved into a multiplier), which the cosine
    does not see; rounding to int8 keeps it above 0.999 and unrelated kernels of n inputs lie near 1/sqrt(n).
    """
    return at_least(0.0, Rows(first), Rows(second)) or 0.0


def at_least(least: float, first: Rows, second: Rows) -> float | None:
    """The similarity; None where it is below ``least``, which a few channels tell of kernels that are not alike."""
    if first.kernel.shape != second.kernel.shape or not first.kernel.size:
        return 0.0 if least <= 0.0 else None
    if not (first.norms.any() and second.norms.any()):
        return 1.0 if not first.norms.any() and not second.norms.any() else (0.0 if least <= 0.0 else None)
    # No channel adds more than 1. Of unlike kernels these few lack twice what may be lacking.
    few = math.ceil(2 * (1.0 - least) * len(first.kernel))
    total = 0.0
    for rows in (slice(0, few), slice(few, None)):
        total += _cosines(first, second, rows)
        left = len(first.kernel[rows.stop :]) if rows.stop is not None else 0
        if (total + left) / first.live < least:
            return None
    return total / first.live


def _cosines(first: Rows, second: Rows, rows: slice) -> float:
    """Sum of ``|cos|``. A dead channel must be dead on both sides, unless rounding killed it: it adds nothing."""
    norms = first.norms[rows] * second.norms[rows]
    products = np.abs(np.einsum("ij,ij->i", first.kernel[rows], second.kernel[rows], dtype=np.float64))
    return float(np.divide(products, norms, out=np.zeros_like(norms), where=norms > 0).sum())
