"""The values that a quantizer gives, as integer codes times scales: what a packed kernel stores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Levels:
    """``values = codes @ scales``: each value is a sum of few scales with integer factors.

    One scale and consecutive codes is a uniform grid, several scales with codes of -1 and +1 are binary bases
    (ABC-Net, LQ-Net), codes that are powers of two are shifts.

    Attributes:
        codes: integers, [levels, scales of a level].
        scales: positive or learned numbers, [scales of a level] for a layer or [channels, scales of a level].
    """

    codes: np.ndarray
    scales: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The values in the order of ``codes``: [levels], or [channels, levels] with scales per channel."""
        return np.asarray(self.scales, np.float32) @ np.asarray(self.codes, np.float32).T

    def __len__(self) -> int:
        return len(self.codes)


def uniform(lowest: int, highest: int, scale: object) -> Levels:
    """Every integer from ``lowest`` to ``highest`` times ``scale``, one for the layer or one a channel."""
    steps = np.asarray(scale, np.float32)
    return Levels(np.arange(lowest, highest + 1)[:, None], steps[..., None])


def of_integers(codes: object, scale: object) -> Levels:
    """The given integers times ``scale``, one for the layer or one a channel."""
    return Levels(np.asarray(codes, np.int64)[:, None], np.asarray(scale, np.float32)[..., None])


def binary_codes(bits: int, zero: int = -1) -> np.ndarray:
    """All sums of ``bits`` scales with factors ``zero`` or +1: [2^bits, bits].

    >>> binary_codes(2, zero=0).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    numbers = np.arange(2**bits)[:, None] >> np.arange(bits) & 1
    return np.where(numbers == 1, 1, zero)
