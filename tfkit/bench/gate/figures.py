"""What the samples themselves say about their quality."""

from __future__ import annotations

from collections.abc import Iterator

from tfkit._units import format_seconds
from tfkit.bench import samples, statistics
from tfkit.bench.gate.evidence import Evidence
from tfkit.bench.gate.reason import Reason, suspect

DRIFT = 0.03
VARIATION = 0.05
# Undisturbed, the slowest tenth of the runs of a network lies within a few percent of the median.
NOISY = 1.25
# Tasks that waited or ran per CPU, over a minute, besides our own.
LOADED = 0.5
# A context switch that was forced in one run of ten moves the 90th percentile.
INTERRUPTED = 0.1
CLOCK_SHARE = 0.05


def count(evidence: Evidence) -> Iterator[Reason]:
    """A slow model ends at the preset's time limit, with fewer samples than it asks for."""
    few = [n for process in evidence.measured if (n := samples.count(process)) < evidence.preset.runs]
    if few:
        yield suspect(
            "few_samples",
            f"{min(few)} samples in {evidence.share(few)}; preset {evidence.preset.name} asks for "
            f"{evidence.preset.runs} in a process",
        )


def processes(evidence: Evidence) -> Iterator[Reason]:
    """One start shows nothing about the next."""
    done, wanted = len(evidence.measured), evidence.preset.processes * evidence.preset.days
    if not evidence.preset.runs:  # correctness only
        return
    if done and wanted == 1:
        yield suspect("one_process", "one process does not show how starts vary; --preset standard runs five")
    elif done < wanted:
        days = f" on {evidence.preset.days} days" if evidence.preset.days > 1 else ""
        yield suspect("unfinished", f"{done} of {wanted} processes{days} are measured; continue with --resume")


def warm_up(evidence: Evidence) -> Iterator[Reason]:
    """The runs were still getting faster or slower when the measurement began."""
    if evidence.preset.warmup_stable_seconds <= 0:
        return
    restless = [p for p in evidence.measured if (p["measurement"].get("warmup") or {}).get("stable") is False]
    if restless:
        yield suspect(
            "warm_up",
            f"no steady state after {evidence.preset.warmup_stable_seconds:g} s of warm-up in "
            f"{evidence.share(restless)}",
        )


def load(evidence: Evidence) -> Iterator[Reason]:
    """Other programs. Our own processes stay in the mean of the last minute, so all but the first are given theirs."""
    found = []
    for index, (_, before, _) in enumerate(evidence.around()):
        if before.load is None or not before.cpus:
            continue
        others = before.load - (evidence.threads if index else 0)
        if others > LOADED * before.cpus:
            found.append(others)
    if found:
        yield suspect(
            "load", f"other programs kept {max(found):.1f} tasks running before {evidence.share(found)}; end them"
        )


def interrupted(evidence: Evidence) -> Iterator[Reason]:
    """Forced context switches during the loop, per run."""
    found = []
    for process, before, after in evidence.inside():
        runs = len(process["measurement"]["run_ns"])
        switches = (after.get("involuntary_switches") or 0) - (before.get("involuntary_switches") or 0)
        if runs and switches > INTERRUPTED * runs:
            found.append(switches / runs)
    if found:
        yield suspect(
            "interrupted",
            f"runs were interrupted {max(found):.1f} times each in {evidence.share(found)}: "
            "other programs wanted the same cores",
        )


def drift(evidence: Evidence) -> Iterator[Reason]:
    """Last quarter of a process against its first."""
    found = [d for p in evidence.measured if (d := statistics.drift(p["measurement"]["run_ns"])) and abs(d) > DRIFT]
    if found:
        worst = max(found, key=abs)
        why = "heat or other programs" if worst > 0 else "it was not warm yet, or other programs ended"
        yield suspect(
            "drift", f"the end of a process was {worst:+.0%} from its start in {evidence.share(found)}: {why}"
        )


def variation(evidence: Evidence) -> Iterator[Reason]:
    """Process medians that differ leave little to compare."""
    cv = evidence.latency.between_process_cv if evidence.latency else None
    if cv is not None and cv > VARIATION:
        yield suspect(
            "variation",
            f"the medians of the processes vary by {cv:.0%}; tfkit compare will see large differences only",
        )


def noise(evidence: Evidence) -> Iterator[Reason]:
    """A wide spread within the samples."""
    latency = evidence.latency
    if latency is None or latency.p90_s is None or latency.p90_s <= NOISY * latency.median_s:
        return
    yield suspect(
        "noise",
        f"one run in ten took more than {latency.p90_s / latency.median_s:.1f} times the median: something else was "
        "running; measure again on an idle machine",
    )


def short(evidence: Evidence) -> Iterator[Reason]:
    """A model so small that reading the clock shows."""
    costs = [
        p["measurement"]["clock_overhead_ns"] for p in evidence.measured if p["measurement"].get("clock_overhead_ns")
    ]
    if costs and evidence.latency and max(costs) * 1e-9 > CLOCK_SHARE * evidence.latency.median_s:
        yield suspect("short", f"reading the clock takes {format_seconds(max(costs) * 1e-9)} of each run")
