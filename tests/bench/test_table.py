"""The table that a person reads, whole."""

from __future__ import annotations

from typing import Any

import pytest

from tfkit.bench.result import Latency, Report, Result
from tfkit.bench.table import as_table, printable

SUSPECT = {"level": "suspect", "reasons": [{"code": "load", "level": "suspect", "text": "it is odd\x1b[2J"}]}
WRONG = {"level": "invalid", "reasons": [{"code": "golden", "level": "invalid", "text": "y differs"}]}
EMULATED = {"level": "invalid", "reasons": [{"code": "no_hardware", "level": "invalid", "text": "emulated"}]}


def report(name: str, *results: Result, **device: Any) -> Report:
    known = {"name": name, "times_meaningful": True, "simulated": False, "label": None, **device}
    return Report(known, {}, {}, {}, "2026-01-01T00:00:00+00:00", list(results))


def result(name: str, ok: bool = True, latency: Latency | None = None, **more: Any) -> Result:
    return Result({"name": name, "bytes": 2048}, 1, {"ok": ok}, (), latency, **more)


def test_with_times() -> None:
    table = as_table(
        report(
            "local",
            result("small.tflite", latency=Latency(320, 0.00123, 0.0015, 0.01, interval_s=(0.0012, 0.0013))),
            result("few.tflite", latency=Latency(3, 0.5, None, None), gate=SUSPECT),
            result("wrong.tflite", ok=False, gate=WRONG),
        )
    )
    assert table.splitlines() == [
        "model            size  threads  correct   median    95 % interval     p90    n     gate",
        "---------------------------------------------------------------------------------------",
        "small.tflite  2.0 KiB        1      yes  1.23 ms  1.2 ms - 1.3 ms  1.5 ms  320  trusted",
        "few.tflite    2.0 KiB        1      yes   500 ms                -  n < 64    3  suspect",
        "wrong.tflite  2.0 KiB        1       NO        -                -       -    -  invalid",
        "device: local",
        r"suspect: few.tflite, threads 1: it is odd\x1b[2J",
    ]


def test_without_times() -> None:
    table = as_table(report("qemu:cortex-a53", result("a.tflite", gate=EMULATED), times_meaningful=False))
    assert table.splitlines() == [
        "model        size  threads  correct     gate",
        "--------------------------------------------",
        "a.tflite  2.0 KiB        1      yes  invalid",
        "device: qemu:cortex-a53 (emulated: correctness only, times of an emulator say nothing about hardware)",
    ]


def test_a_simulated_phone_shows_no_times() -> None:
    energy = {"joules_per_run": 1.0, "idle_watts": 1.0, "source": "battery gauge"}
    curve = {"slow_down": 2.0, "minutes": [{"median_s": 1.0}, {"median_s": 2.0}]}
    one = result("a.tflite", gate=EMULATED, energy=energy, sustained=curve)
    table = as_table(report("adb", one, simulated=True, label="simulated"))
    assert "simulated: every step is real except the hardware" in table
    assert not any(unit in table for unit in (" ms", " us", " mJ", " s in minute"))


def test_what_else_was_measured() -> None:
    one = result(
        "a.tflite",
        latency=Latency(64, 0.001, 0.0015, None),
        memory={"stages": [{"vm_hwm": 5 << 20, "pss": None}, {"vm_hwm": 9 << 20, "pss": 4 << 20, "pss_file": 1 << 20}]},
        energy={"joules_per_run": 0.0123, "idle_watts": 0.8, "source": "battery gauge"},
        sustained={"slow_down": 1.5, "minutes": [{"median_s": 0.001}, {"median_s": 0.0015}]},
    )
    assert as_table(report("ssh:pi", one, label="glibc bundle")).splitlines()[3:] == [
        "device: ssh:pi (glibc bundle)",
        "memory: a.tflite, threads 1: peak 9.0 MiB, proportional 4.0 MiB, of that file-backed 1.0 MiB",
        "energy: a.tflite, threads 1: 12.3 mJ per run above 0.8 W idle (battery gauge)",
        "sustained: a.tflite, threads 1: 1 ms in minute 1, 1.5 ms in minute 2 (+50%)",
    ]


@pytest.mark.parametrize(
    ("name", "shown"), [("a\nb", r"a\nb"), ("\x1b[2J", r"\x1b[2J"), ("né", "né"), ("\u202e", r"\u202e")]
)
def test_names_cannot_drive_the_terminal(name: str, shown: str) -> None:
    assert printable(name) == shown
