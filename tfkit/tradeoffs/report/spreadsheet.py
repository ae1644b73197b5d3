"""The points as CSV: one line for each seed, failed and waiting ones too."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from tfkit._files import whole_file
from tfkit.tradeoffs.points import Point
from tfkit.tradeoffs.report import wording

HEADINGS = (
    "series",
    "model",
    "settings",
    "seed",
    "device",
    "state",
    "accuracy",
    "keras_accuracy",
    "latency_ms",
    "latency_low_ms",
    "latency_high_ms",
    "instructions",
    "size_bytes",
    "peak_memory_bytes",
    "macs",
    "parameters",
    "trusted",
    "key",
    "reason",
)
# A spreadsheet takes a text that begins so for a formula and computes it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cells(point: Point) -> tuple[str, ...]:
    """One line: numbers in full precision, accuracies as shares; what is not known is empty."""
    interval = point.latency_interval
    return (
        _text(point.series),
        _text(point.model),
        _text(wording.settings(point.settings)),
        str(point.seed),
        _text(point.device),
        point.state,
        _number(point.accuracy),
        _number(point.keras_accuracy),
        _number(point.latency_ms),
        _number(interval.low if interval else None),
        _number(interval.high if interval else None),
        _number(point.instructions),
        _number(point.size_bytes),
        _number(point.peak_memory_bytes),
        _number(point.macs),
        _number(point.parameters),
        "" if point.trusted is None else "yes" if point.trusted else "no",
        _text(point.key),
        _text(point.reason or ""),
    )


def to_csv(points: Sequence[Point]) -> str:
    """The whole file, with a line of headings (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerows(map(cells, points))
    return text.getvalue()


def write_csv(points: Sequence[Point], path: str | os.PathLike[str]) -> None:
    """``to_csv`` into a file, whole or not at all."""
    with whole_file(Path(path)) as temporary:
        temporary.write_text(to_csv(points), encoding="utf-8", errors="backslashreplace", newline="")


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)
