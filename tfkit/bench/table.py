"""A report as plain text, columns aligned; the only formatting of numbers is ``tfkit._units``'s."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tfkit._units import format_bytes, format_seconds
from tfkit.bench.result import Report, Result

EMULATED = "emulated: correctness only, times of an emulator say nothing about hardware"


def as_table(report: Report) -> str:
    """One line per model and thread count: size, check against the host, and latency where it means something."""
    meaningful = bool(report.device["times_meaningful"])
    header = ["model", "size", "threads", "correct"] + (["median", "p90", "n"] if meaningful else [])
    rows = [header, *(_row(result, meaningful) for result in report.results)]
    lines = _aligned(rows)
    lines.insert(1, "-" * max(map(len, lines)))
    lines += [f"device: {report.device['name']}" + ("" if meaningful else f" ({EMULATED})")]
    lines += [f"warning: {printable(r.model['name'])}: {text}" for r in report.results for text in r.warnings]
    return "\n".join(lines)


def _row(result: Result, meaningful: bool) -> list[str]:
    correct = "yes" if result.ok else "NO"
    row = [printable(str(result.model["name"])), format_bytes(result.model["bytes"]), str(result.threads), correct]
    if not meaningful:
        return row
    if result.latency is None:
        return [*row, "-", "-", "-"]
    latency = result.latency
    p90 = "n < 64" if latency.p90_s is None else format_seconds(latency.p90_s)
    return [*row, format_seconds(latency.median_s), p90, str(latency.samples)]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    aligned = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        aligned.append("  ".join(cells).rstrip())
    return aligned


def printable(text: str) -> str:
    """File names may hold line breaks and terminal escapes; a terminal gets them as escapes in plain text."""
    return "".join(c if unicodedata.category(c)[0] != "C" else c.encode("unicode_escape").decode() for c in text)
