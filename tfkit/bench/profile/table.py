"""A profile as plain text: layers in order of execution, then what belongs to none, then the sums."""

from __future__ import annotations

from tfkit._units import format_count, format_seconds
from tfkit.bench.profile.model import FUSED, MEASURED, Profile, Row
from tfkit.bench.table import printable

_HEADER = ("layer", "op", "runs in", "kernel", "time", "share", "MACs", "GOPS")
_NAME = 40


def as_table(profile: Profile) -> str:
    """Lines for people; the times are means per profiled run and no latency."""
    rows = [_HEADER, *(_cells(profile, row) for row in profile.rows)]
    inside = profile.total_seconds - profile.runtime_seconds
    for what, seconds, has_share in (
        ("dispatch", profile.dispatch_seconds, True),
        ("all of the interpreter", inside, True),
        ("around it: buffers, profiler", profile.runtime_seconds, False),
        ("total", profile.total_seconds, False),
    ):
        share = f"{profile.share(seconds):.1%}" if has_share else ""
        rows.append((what, "", "", "", format_seconds(seconds), share, "", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = []
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:4], widths[:4], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[4:], widths[4:], strict=True)]
        lines.append("  ".join((*left, *right)).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    lines.append(f"means of {profile.runs} profiled runs; profiling costs time, so none of this is a latency")
    return "\n".join([*lines, *(f"note: {note}" for note in profile.notes)])


def _cells(profile: Profile, row: Row) -> tuple[str, ...]:
    runs_in = row.runs_in if row.partition is None else f"{row.runs_in} #{row.partition}"
    macs = (format_count(row.macs) + (" binary" if row.binary_macs else "")) if row.macs else ""
    if row.how == FUSED:
        # Its MACs count where its time is, so its own figures would be read twice.
        into = "fused" if row.into is None else f"fused into op {row.into}"
        return (_short(row.layer), row.op, runs_in, into, "", "", macs, "")
    layer = row.layer if row.how == MEASURED else "(unattributed)"
    gops = "" if row.gops is None else f"{row.gops:.0f}" if row.gops >= 100 else f"{row.gops:.3g}"
    share = f"{profile.share(row.seconds):.1%}"
    return (_short(layer), row.op, runs_in, printable(row.kernel), _row_time(row), share, macs, gops)


def _short(name: str) -> str:
    text = printable(name)
    return text if len(text) <= _NAME else "..." + text[3 - _NAME :]


def _row_time(row: Row) -> str:
    return format_seconds(row.seconds) if row.seconds >= row.resolution else f"< {format_seconds(row.resolution)}"
