"""Series can be told apart: on white and on black, and without colours."""

from __future__ import annotations

import itertools

from tfkit.tradeoffs.report.palette import BACKGROUND, COLOURS, MARKS, style


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_known() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21.0
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


def test_every_colour_can_be_read_as_text() -> None:
    for pair in COLOURS:
        for colour, background in zip(pair, BACKGROUND, strict=True):
            assert contrast(colour, background) >= 4.5, (colour, background)


def test_no_two_of_56_series_look_alike() -> None:
    looks = [style(place) for place in range(56)]
    assert len(set(looks)) == len(COLOURS) * len(MARKS) == 56
    for one, other in itertools.pairwise(looks):
        assert one.mark != other.mark
        assert one.colour != other.colour
