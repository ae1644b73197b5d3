"""A comparison as plain text."""

from __future__ import annotations

from tfkit._units import format_seconds
from tfkit.bench.compare import Comparison, Row
from tfkit.bench.table import aligned, printable


def as_table(comparison: Comparison) -> str:
    """One line per model and thread count, then why each verdict is what it is."""
    header = ["model", "threads", "before", "after", "change", "verdict"]
    lines = aligned([header, *map(_row, comparison.rows)])
    lines.insert(1, "-" * max(map(len, lines)))
    for row in comparison.rows:
        name = f"{printable(row.model)}, threads {row.threads}"
        lines.append(f"{row.verdict}: {name}: {printable(row.reason)}{_gates(row)}")
    lines += [f"compared all the same: {printable(text)}" for text in comparison.differences]
    return "\n".join(lines)


def _row(row: Row) -> list[str]:
    times = ["-" if seconds is None else format_seconds(seconds) for seconds in (row.first_s, row.second_s)]
    change = "-" if row.change is None else f"{row.change:+.1%}"
    return [printable(row.model), str(row.threads), *times, change, row.verdict]


def _gates(row: Row) -> str:
    worse = [name for name, level in zip(("before", "after"), row.gates, strict=True) if level == "suspect"]
    return f" (suspect: {' and '.join(worse)}; see the gate of each file)" if worse else ""
