"""A colour and a mark for each series, the same on the page and in the figures.

Colours tell apart by lightness and hue, on white and on black, with a contrast of at least 3 to 1 (WCAG 2.1, 1.4.11);
marks tell apart without any colour. There are 8 of the one and 7 of the other, so 56 series differ in one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BACKGROUND = ("#ffffff", "#14171b")
# Each on the light and on the dark background.
COLOURS = (
    ("#0b62a8", "#62b0f2"),
    ("#c44d0a", "#f59a57"),
    ("#0f7a50", "#4fcf9b"),
    ("#a3357f", "#ea8fcb"),
    ("#7a5c00", "#dcc04a"),
    ("#5b4bb7", "#a99cf5"),
    ("#b3202c", "#ff8a86"),
    ("#55606b", "#b4bec9"),
)
# By matplotlib's names, with the path that the page draws around (0, 0).
MARKS = {
    "o": "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0z",
    "s": "M-5 -5h10v10h-10z",
    "^": "M0 -6.5L6 4.5H-6z",
    "D": "M0 -7L7 0L0 7L-7 0z",
    "v": "M0 6.5L6 -4.5H-6z",
    "P": "M-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
    "*": "M0 -7.5L1.8 -2.5L7.1 -2.3L2.9 1L4.4 6.1L0 3.1L-4.4 6.1L-2.9 1L-7.1 -2.3L-1.8 -2.5z",
}


@dataclass(frozen=True)
class Style:
    """``colour`` is a place in ``COLOURS``, ``mark`` a key of ``MARKS``."""

    colour: int
    mark: str


def style(place: int) -> Style:
    """Of the series at ``place``."""
    return Style(place % len(COLOURS), tuple(MARKS)[place % len(MARKS)])


def variables(dark: bool) -> str:
    """The colours as CSS custom properties."""
    colours: Sequence[str] = [pair[dark] for pair in COLOURS]
    names = "".join(f" --c{place}: {colour};" for place, colour in enumerate(colours))
    return f"--ground: {BACKGROUND[dark]};{names}"
