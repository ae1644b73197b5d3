"""What the quickstart found out: plain data, written as JSON and shown as a table and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tfkit._units import format_bytes, format_seconds

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Row:
    """One network: what it is, how right it is, how big, how fast.

    Accuracies are shares of the test set, sizes bytes, latencies seconds on this machine with one thread.
    ``p50_s`` is None when the golden check failed, ``p90_s`` also when there were too few samples to state it.
    """

    name: str
    format: str
    keras_accuracy: float
    flatbuffer_accuracy: float
    size_bytes: int
    p50_s: float | None
    p90_s: float | None
    samples: int
    parity_ok: bool
    parity: str
    arm_ok: bool
    arm: str
    ledger: Sequence[str]

    def cells(self) -> tuple[str, ...]:
        """The row as people read it; ``HEADINGS`` names the columns."""
        return (
            self.name,
            self.format,
            f"{self.keras_accuracy:.2%}",
            f"{self.flatbuffer_accuracy:.2%}",
            format_bytes(self.size_bytes),
            _latency(self.p50_s),
            _latency(self.p90_s),
            "ok" if self.parity_ok else "FAILED",
            "ok" if self.arm_ok else "FAILED",
        )


def _latency(seconds: float | None) -> str:
    return "-" if seconds is None else format_seconds(seconds)


HEADINGS = (
    "network",
    "format",
    "accuracy in Keras",
    "of the flatbuffer",
    "size",
    "p50",
    "p90",
    "parity",
    "Arm",
)


@dataclass(frozen=True)
class Result:
    """The whole quickstart; ``machine`` is the benchmark's own record of where it ran."""

    device: str
    arm_device: str
    test_images: int
    seconds: float
    machine: Mapping[str, Any]
    rows: Sequence[Row]

    @property
    def ok(self) -> bool:
        """Whether every parity check and every run on the emulated Arm core agreed."""
        return all(row.parity_ok and row.arm_ok for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """The same content as the table and the page, for programs."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "ok": self.ok}

    def table(self) -> str:
        """Fixed-width text, one line a network."""
        lines = [HEADINGS, *(row.cells() for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)
