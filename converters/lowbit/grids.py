"""The values of a quantizer as bits: one integer a value, or one scale for every bit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tfkit.quantizers import Levels


@dataclass(frozen=True)
class Grid:
    """``value = scale * (lowest + step * index)``; the bits of the index are the planes.

    Attributes:
        indices: of each level, in the order of ``Levels``.
        scale: float32, one or [channels].
    """

    indices: np.ndarray
    lowest: int
    step: int
    planes: int
    scale: np.ndarray

    @property
    def integers(self) -> np.ndarray:
        """``lowest + step * index`` of each level."""
        return self.lowest + self.step * self.indices


@dataclass(frozen=True)
class Bases:
    """``value = sum of scales[i] * (lowest + step * bit i)``.

    Attributes:
        bits: of each level, plane i in bit i, in the order of ``Levels``.
        scales: float32, [planes] or [channels, planes].
    """

    bits: np.ndarray
    lowest: int
    step: int
    planes: int
    scales: np.ndarray


def of_levels(levels: Levels) -> Grid | Bases | None:
    """The form that a packed op computes with; None when levels are no integers and their bits have no scales."""
    codes, scales = np.asarray(levels.codes, np.int64), np.asarray(levels.scales, np.float32)
    if codes.shape[1] == 1:
        return _grid(codes[:, 0], scales[..., 0])
    columns = []
    for number in range(codes.shape[1]):
        found = sorted(set(codes[:, number].tolist()))
        if found == [-1, 1]:
            columns.append((2, codes[:, number] == 1, scales[..., number]))
        elif len(found) == 2 and 0 in found:
            other = found[0] or found[1]
            columns.append((1, codes[:, number] == other, np.float32(other) * scales[..., number]))
    if len(columns) < codes.shape[1] or len({step for step, _, _ in columns}) > 1:
        return None
    step = columns[0][0]
    bits = sum(column.astype(np.int64) << i for i, (_, column, _) in enumerate(columns))
    return Bases(np.asarray(bits), 1 - step, step, len(columns), np.stack([c[2] for c in columns], -1))


def _grid(integers: np.ndarray, scale: np.ndarray) -> Grid:
    lowest = int(integers.min())
    step = math.gcd(*(int(n) - lowest for n in integers)) or 1
    indices = (integers - lowest) // step
    return Grid(indices, lowest, step, max(int(indices.max()).bit_length(), 1), np.asarray(scale, np.float32))


def as_bases(grid: Grid) -> Bases:
    """The same values with a scale for every bit, to be multiplied with values that have no other form.

    Odd integers around 0 are sums of +-1, others two's complement: its highest bit counts negative.
    """
    planes, integers = grid.planes, grid.integers
    weights = 2.0 ** np.arange(planes)
    if grid.lowest == 0:
        bits, lowest, step = grid.indices, 0, 1
        weights *= grid.step
    elif 2 * grid.lowest == -grid.step * (2**planes - 1):
        bits, lowest, step = grid.indices, -1, 2
        weights *= grid.step / 2
    else:
        bits, lowest, step = integers & (2**planes - 1), 0, 1
        if integers.min() < -(2 ** (planes - 1)) or integers.max() >= 2 ** (planes - 1):
            raise ValueError(f"integers {integers.min()} to {integers.max()} do not fit {planes} bits")
        weights[-1] *= -1
    scales = np.asarray(grid.scale, np.float32)[..., None] * weights.astype(np.float32)
    return Bases(np.asarray(bits), lowest, step, planes, scales)
