"""From the runner's documents to one result: is it right, how fast is it, how far can that be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tfkit.bench import samples, statistics
from tfkit.bench.gate import Evidence
from tfkit.bench.gate import judge as gate
from tfkit.bench.gate.meaning import times_hardware
from tfkit.bench.result import Latency, Result
from tfkit.bench.spec import Preset
from tfkit.bench.subject import Subject

# A tolerance beyond this says that the check cannot tell right from wrong any more.
WIDE = 0.05
_STARTS = ("first_run_ns", "compile_ns", "load_ns")


@dataclass(frozen=True)
class Judge:
    """Knows the device (a report's ``device``) and the preset."""

    device: Mapping[str, Any]
    preset: Preset

    def result(self, subject: Subject, threads: int, processes: tuple[Mapping[str, Any], ...]) -> Result:
        """The result of all ``processes`` so far; the last may be a golden mismatch, and then there is no latency."""
        golden = _golden(subject, processes[-1])
        measured = [process for process in processes if process["measurement"]]
        latency = _latency(measured) if measured and golden["ok"] is not False else None
        weak = subject.golden.relative if subject.golden.relative > WIDE else None
        evidence = Evidence(self.device, self.preset, threads, processes, golden, latency, weak)
        level, reasons = gate(evidence)
        result = Result(subject.describe(), threads, golden, processes)
        return replace(
            result,
            latency=latency if times_hardware(self.device) else None,
            gate={"level": level, "reasons": [reason.to_json() for reason in reasons]},
        )


def _golden(subject: Subject, last: Mapping[str, Any]) -> dict[str, Any]:
    if last.get("golden") is None:
        return {"ok": None, "summary": "not compared: this runner does not give its outputs", "outputs": []}
    outputs = [
        {"name": tensor["name"], "dtype": tensor["dtype"], **comparison}
        for tensor, comparison in zip(last["outputs"], last["golden"], strict=True)
    ]
    wrong = [output for output in outputs if not output["ok"]]
    return {
        "ok": not wrong,
        "summary": "; ".join(map(_difference, wrong)) or "as the host's reference",
        "reference": "on the host: LiteRT's kernels, and the reference kernels for tfkit's ops",
        "candidate": subject.golden.candidate,
        "tolerance": subject.golden.reason,
        "outputs": outputs,
    }


def _latency(measured: Sequence[Mapping[str, Any]]) -> Latency | None:
    middles = [middle for process in measured if (middle := samples.middle_ns(process)) is not None]
    if not middles:
        return None
    whole = [_whole_call(process["measurement"]) for process in measured if process["measurement"]["output_read_ns"]]
    start = {name: statistics.median([process[name] for process in measured]) * 1e-9 for name in _STARTS}
    return replace(
        Latency.of([process["measurement"]["run_ns"] for process in measured], middles),
        samples=sum(map(samples.count, measured)),
        whole_call_s=statistics.median(whole) * 1e-9 if whole else None,
        first_run_s=start["first_run_ns"],
        compile_s=start["compile_ns"],
        load_s=start["load_ns"],
    )


def _whole_call(measurement: Mapping[str, Any]) -> float:
    calls = zip(measurement["input_write_ns"], measurement["run_ns"], measurement["output_read_ns"], strict=False)
    return statistics.median([sum(call) for call in calls])


def _difference(output: Mapping[str, Any]) -> str:
    return (
        f"output {output['name']!r} differs from the host's reference by {_number(output['largest_difference'])} "
        f"({_number(output['allowed_difference'])} allowed) in {output['elements_outside']} elements, "
        f"first in element {output['first_outside']}"
    )


def _number(value: float | None) -> str:
    # The runner writes null for what JSON has no number for.
    return "infinity" if value is None else f"{value:.3g}"
