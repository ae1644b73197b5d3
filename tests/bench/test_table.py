"""The table that a person reads, whole."""

from __future__ import annotations

from typing import Any

import pytest

from tfkit.bench.result import Latency, Report, Result
from tfkit.bench.table import as_table, printable


def report(meaningful: bool, *results: Result) -> Report:
    device = {"name": "local" if meaningful else "qemu:cortex-a53", "times_meaningful": meaningful}
    return Report(device, {}, {}, {}, "2026-01-01T00:00:00+00:00", list(results))


def result(name: str, ok: bool = True, latency: Latency | None = None, **more: Any) -> Result:
    return Result({"name": name, "bytes": 2048}, 1, {"ok": ok}, (), latency, **more)


def test_with_times() -> None:
    table = as_table(
        report(
            True,
            result("small.tflite", latency=Latency(64, 0.00123, 0.0015, None)),
            result("few.tflite", latency=Latency(3, 0.5, None, None)),
            result("wrong.tflite", ok=False, warnings=("it is odd",)),
        )
    )
    assert table.splitlines() == [
        "model            size  threads  correct   median     p90   n",
        "------------------------------------------------------------",
        "small.tflite  2.0 KiB        1      yes  1.23 ms  1.5 ms  64",
        "few.tflite    2.0 KiB        1      yes   500 ms  n < 64   3",
        "wrong.tflite  2.0 KiB        1       NO        -       -   -",
        "device: local",
        "warning: wrong.tflite: it is odd",
    ]


def test_without_times() -> None:
    table = as_table(report(False, result("a.tflite", latency=None)))
    assert table.splitlines() == [
        "model        size  threads  correct",
        "-----------------------------------",
        "a.tflite  2.0 KiB        1      yes",
        "device: qemu:cortex-a53 (emulated: correctness only, times of an emulator say nothing about hardware)",
    ]


@pytest.mark.parametrize(
    ("name", "shown"), [("a\nb", r"a\nb"), ("\x1b[2J", r"\x1b[2J"), ("né", "né"), ("\u202e", r"\u202e")]
)
def test_names_cannot_drive_the_terminal(name: str, shown: str) -> None:
    assert printable(name) == shown
