"""What a source of energy figures is: files that are read again and again, and their meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol


@dataclass(frozen=True)
class Reading:
    """The files' contents at one moment; ``seconds`` is the device's uptime."""

    seconds: float
    files: Mapping[str, str]


class Source(Protocol):
    """``globs`` are the files, for the device's shell; ``drains`` says that charging spoils the figures."""

    @property
    def name(self) -> str: ...

    @property
    def globs(self) -> Sequence[str]: ...

    @property
    def drains(self) -> bool: ...

    def find(self, files: Mapping[str, str]) -> bool:
        """Whether these contents of ``globs`` belong to a source that works."""

    def watts(self, readings: Sequence[Reading]) -> float:
        """Mean power over the readings, at least two. Raises ``DeviceError`` when they make no sense."""


def mean_power(points: Sequence[tuple[float, float]]) -> float:
    """Time-weighted mean of (seconds, watts): each value holds until the next one is read.

    >>> mean_power([(0.0, 1.0), (3.0, 5.0), (4.0, 0.0)])
    2.0
    """
    joules = sum(watts * (later - now) for (now, watts), (later, _) in pairwise(points))
    return joules / (points[-1][0] - points[0][0])


def integer(text: str) -> int | None:
    """The content of a sysfs file that holds one integer; None for anything else."""
    stripped = text.strip()
    digits = stripped[1:] if stripped[:1] in "+-" else stripped
    return int(stripped) if digits.isdecimal() and len(digits) < 20 else None
