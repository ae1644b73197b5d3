"""The convolutions of `tests.claims.kernels`, tfkit held to AVX2 by the delegate option `kernel`; peers use all the
CPU has. The times are those of the same run."""

from __future__ import annotations

from collections.abc import Iterator

from tests.claims import target
from tests.claims.kernels import HELD_BACK, comparison

TITLE = "The same with tfkit held to AVX2, others not"
TARGETS = {"LCE indirect": 6.0, "XNNPACK int8": 2.2}
TARGET = "each at least " + ", ".join(f"{factor:g}x {peer}" for peer, factor in TARGETS.items())
HEADINGS = ("3x3 convolution", "output", "tfkit", *TARGETS, target.HEADING)


def rows() -> Iterator[tuple[str, ...]]:
    """tfkit with its AVX2 kernel."""
    return comparison(HELD_BACK, TARGETS)
