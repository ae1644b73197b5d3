"""A profile as data: one row per op of the flatbuffer, and what belongs to none."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

SCHEMA_VERSION = 1

# How a row's time came about.
MEASURED = "measured"  # the op has a time of its own
FUSED = "fused"  # another kernel does its work; its time is in the row of that op
UNATTRIBUTED = "unattributed"  # time that belongs to no single op


@dataclass(frozen=True)
class Row:
    """One op, or one piece of time without an op (``index`` None).

    ``seconds`` are the mean per run. ``layer`` is the user's layer; ``kernel`` what ran: a kernel of tfkit's delegate
    or an operator of XNNPACK; ``partition`` the delegate's node, None for the interpreter's own ops. Of ``macs`` those
    with one bit on both sides are ``binary_macs``. ``resolution`` is what the row's clock ticks in: microseconds, cut
    off, where XNNPACK or the interpreter took the time. ``into`` is the op that does a fused op's work.
    """

    index: int | None
    op: str
    layer: str
    runs_in: str
    partition: int | None
    kernel: str
    seconds: float
    macs: int
    binary_macs: int
    how: str
    resolution: float = 1e-6
    into: int | None = None

    @property
    def gops(self) -> float | None:
        """Achieved 1e9 operations per second, two per multiply-accumulate; None without MACs or too short a time."""
        return 2e-9 * self.macs / self.seconds if self.macs and self.seconds >= self.resolution else None


@dataclass(frozen=True)
class Profile:
    """Mean seconds per profiled run: ``rows``, ``dispatch_seconds``, ``runtime_seconds`` add up to ``total_seconds``.

    ``dispatch_seconds`` is spent inside the interpreter but in no op: calling kernels, waking threads, and what the
    profiler's microseconds cut off. ``runtime_seconds`` is spent around the interpreter: buffers, synchronization, the
    profiler's own start. Neither they nor ``total_seconds`` are a latency: profiling costs time.
    """

    rows: tuple[Row, ...]
    total_seconds: float
    dispatch_seconds: float
    runtime_seconds: float
    runs: int
    uneven_runs: int
    notes: tuple[str, ...] = ()

    def layers(self) -> dict[str, float]:
        """Seconds per layer, in order of execution; ``""`` is what belongs to none."""
        found: defaultdict[str, float] = defaultdict(float)
        for row in self.rows:
            found[row.layer] += row.seconds
        return dict(found)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; the same content as the table."""
        rows = [{**asdict(row), "gops": row.gops, "share": self.share(row.seconds)} for row in self.rows]
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "rows": rows}

    def table(self) -> str:
        """Lines for people."""
        from tfkit.bench.profile.table import as_table

        return as_table(self)

    def share(self, seconds: float) -> float:
        """Part of the time in the interpreter: what is around it is mostly the profiler's own."""
        inside = self.total_seconds - self.runtime_seconds
        return seconds / inside if inside > 0 else 0.0
