"""A report as plain text, columns aligned; the only formatting of numbers is ``tfkit._units``'s."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from tfkit._units import format_bytes, format_seconds
from tfkit.bench.gate.meaning import times_hardware
from tfkit.bench.result import Latency, Report, Result
from tfkit.bench.statistics import MINIMUM_SAMPLES

EMULATED = "emulated: correctness only, times of an emulator say nothing about hardware"
SIMULATED = "simulated: every step is real except the hardware, so no times are shown"


def as_table(report: Report) -> str:
    """One line per model and thread count: size, check against the host, latency where it means something, gate.

    Below it the reasons of every gate, and what else was measured.
    """
    meaningful = times_hardware(report.device)
    header = ["model", "size", "threads", "correct"] + (["median", "95 % interval", "p90", "n"] if meaningful else [])
    gated = any(result.gate["level"] != "trusted" for result in report.results) or meaningful
    header += ["gate"] if gated else []
    rows = [header, *(_row(result, meaningful, gated) for result in report.results)]
    lines = aligned(rows)
    lines.insert(1, "-" * max(map(len, lines)))
    lines.append(f"device: {printable(str(report.device['name']))}{_remark(report.device, meaningful)}")
    for result in report.results:
        lines += _reasons(result)
        lines += _besides(result, meaningful)
    return "\n".join(lines)


def _row(result: Result, meaningful: bool, gated: bool) -> list[str]:
    correct = {True: "yes", False: "NO", None: "?"}[result.golden["ok"]]
    row = [printable(str(result.model["name"])), format_bytes(result.model["bytes"]), str(result.threads), correct]
    if meaningful:
        row += _figures(result.latency)
    return [*row, result.gate["level"]] if gated else row


def _figures(latency: Latency | None) -> list[str]:
    if latency is None:
        return ["-", "-", "-", "-"]
    interval = "-" if latency.interval_s is None else " - ".join(map(format_seconds, latency.interval_s))
    few = latency.samples < MINIMUM_SAMPLES[0.9]
    p90 = format_seconds(latency.p90_s) if latency.p90_s is not None else "n < 64" if few else "-"
    return [format_seconds(latency.median_s), interval, p90, str(latency.samples)]


def _remark(device: Mapping[str, Any], meaningful: bool) -> str:
    if not meaningful:
        return f" ({SIMULATED if device['simulated'] else EMULATED})"
    return f" ({printable(device['label'])})" if device.get("label") else ""


def _reasons(result: Result) -> Iterator[str]:
    # What the line above says already, or what is true of every result of an emulator, is not said again.
    shown = [reason for reason in result.gate["reasons"] if reason["code"] not in ("golden", "no_hardware")]
    name = f"{printable(str(result.model['name']))}, threads {result.threads}"
    yield from (f"{reason['level']}: {name}: {printable(reason['text'])}" for reason in shown)


def _besides(result: Result, meaningful: bool) -> Iterator[str]:
    name = f"{printable(str(result.model['name']))}, threads {result.threads}"
    if result.memory:
        peaks = [stage["vm_hwm"] for stage in result.memory["stages"] if stage.get("vm_hwm")]
        last = result.memory["stages"][-1] if result.memory["stages"] else {}
        pss, file = last.get("pss"), last.get("pss_file")
        parts = [f"peak {format_bytes(max(peaks))}"] if peaks else []
        parts += [f"proportional {format_bytes(pss)}"] if pss else []
        parts += [f"of that file-backed {format_bytes(file)}"] if pss and file is not None else []
        yield f"memory: {name}: {', '.join(parts) or 'the device does not tell'}"
    if result.profile and meaningful:
        yield f"profile: {name}:"
        yield _profile(result.profile)
    if result.energy and meaningful:
        yield (
            f"energy: {name}: {result.energy['joules_per_run'] * 1e3:.3g} mJ per run above "
            f"{result.energy['idle_watts']:.3g} W idle ({printable(result.energy['source'])})"
        )
    if result.sustained and meaningful and result.sustained["slow_down"]:
        minutes = result.sustained["minutes"]
        yield (
            f"sustained: {name}: {format_seconds(minutes[0]['median_s'])} in minute 1, "
            f"{format_seconds(minutes[-1]['median_s'])} in minute {len(minutes)} "
            f"({result.sustained['slow_down'] - 1:+.0%})"
        )


def _profile(content: Mapping[str, Any]) -> str:
    from tfkit.bench.profile import Profile, Row

    rows = tuple(Row(**{part.name: row[part.name] for part in fields(Row)}) for row in content["rows"])
    values = {part.name: content[part.name] for part in fields(Profile)}
    return Profile(**{**values, "rows": rows}).table()


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line per row: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def printable(text: str) -> str:
    """File names may hold line breaks and terminal escapes; a terminal gets them as escapes in plain text."""
    return "".join(c if unicodedata.category(c)[0] != "C" else c.encode("unicode_escape").decode() for c in text)
