"""What a plan may cost: latency, size and the share of right answers, as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tfkit._errors import UsageError
from tfkit._units import format_bytes, format_seconds

_NUMBER = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-zµ]*)\s*")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_BYTES = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}


@dataclass(frozen=True)
class Budgets:
    """Limits of a plan; None: no limit. ``latency`` in seconds, ``size`` in bytes, ``accuracy`` a share in [0, 1]."""

    latency: float | None = None
    size: int | None = None
    accuracy: float | None = None

    def __post_init__(self) -> None:
        if self.accuracy is not None and not 0 <= self.accuracy <= 1:
            raise UsageError(f"the least accuracy is a share between 0 and 1, for example 0.95; got {self.accuracy:g}")

    def misses(self, seconds: float, size: int) -> tuple[str, ...]:
        """The limits that a plan of this latency and size does not keep, in words."""
        found = []
        if self.latency is not None and seconds > self.latency:
            found.append(f"{format_seconds(seconds)} where {format_seconds(self.latency)} are allowed")
        if self.size is not None and size > self.size:
            found.append(f"{format_bytes(size)} where {format_bytes(self.size)} are allowed")
        return tuple(found)


def latency(text: str) -> float:
    """Seconds of a duration with its unit.

    >>> latency("20ms"), latency("1.5 s")
    (0.02, 1.5)

    Raises:
        UsageError: no number, no unit, or one that is none of time.
    """
    return _quantity(text, _SECONDS, "a latency", "20ms")


def size(text: str) -> int:
    """Bytes of a size with its unit; MB are 10^6 bytes, MiB are 2^20.

    >>> size("2MB"), size("1.5 KiB")
    (2000000, 1536)

    Raises:
        UsageError: no number, no unit, or one that is none of size.
    """
    return int(_quantity(text, _BYTES, "a size", "2MB"))


def _quantity(text: str, units: dict[str, float] | dict[str, int], what: str, example: str) -> float:
    match = _NUMBER.fullmatch(text)
    factor = units.get(match[2].lower()) if match else None
    if match is None or factor is None or not float(match[1]) > 0:
        known = ", ".join(units)
        raise UsageError(f"{what} is a positive number with its unit, for example {example} ({known}); got {text!r}")
    return float(match[1]) * factor
