"""From the runner's documents to one result: is it right, how fast is it, what should a reader know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tfkit.bench.result import Latency, Result
from tfkit.bench.subject import Subject

# A tolerance beyond this says that the check cannot tell right from wrong any more.
WIDE = 0.05
# Undisturbed, the slowest tenth of the runs of a network lies within a few percent of the median.
NOISY = 1.25


def judge(subject: Subject, threads: int, processes: tuple[Mapping[str, Any], ...]) -> Result:
    """The result of all ``processes`` so far; the last one may be a golden mismatch, and then there is no latency."""
    last = processes[-1]
    outputs = [
        {"name": tensor["name"], "dtype": tensor["dtype"], **comparison}
        for tensor, comparison in zip(last["outputs"], last["golden"], strict=True)
    ]
    wrong = [output for output in outputs if not output["ok"]]
    golden = {
        "ok": not wrong,
        "summary": "; ".join(map(_difference, wrong)) or "as the host's reference",
        "reference": "on the host: LiteRT's kernels, and the reference kernels for tfkit's ops",
        "candidate": subject.golden.candidate,
        "tolerance": subject.golden.reason,
        "outputs": outputs,
    }
    result = Result(subject.describe(), threads, golden, processes, warnings=_warnings(subject, processes))
    measured = [process["measurement"]["run_ns"] for process in processes if process["measurement"]]
    if not measured or not result.ok:
        return result
    latency = Latency.of(measured)
    return replace(result, latency=latency, warnings=(*result.warnings, *_noise(latency)))


def _difference(output: Mapping[str, Any]) -> str:
    return (
        f"output {output['name']!r} differs from the host's reference by {_number(output['largest_difference'])} "
        f"({_number(output['allowed_difference'])} allowed) in {output['elements_outside']} elements, "
        f"first in element {output['first_outside']}"
    )


def _warnings(subject: Subject, processes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    found = []
    if subject.golden.relative > WIDE:
        found.append(
            f"rounding alone may move this model's output by {subject.golden.relative:.0%}, so the golden check is "
            "weak here; check accuracy on real data"
        )
    if any(process["measurement"] and not process["measurement"]["repeatable"] for process in processes):
        found.append("the same input gave another output in a later run of the same process")
    return tuple(found)


def _noise(latency: Latency) -> tuple[str, ...]:
    if latency.p90_s is None or latency.p90_s <= NOISY * latency.median_s:
        return ()
    return (
        f"one run in ten took more than {latency.p90_s / latency.median_s:.1f} times the median: something else was "
        "running; measure again on an idle machine",
    )


def _number(value: float | None) -> str:
    # The runner writes null for what JSON has no number for.
    return "infinity" if value is None else f"{value:.3g}"
