"""Advice as data and as text: what each layer costs in each precision, and the plan that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tfkit._units import format_bytes, format_count, format_seconds
from tfkit.tradeoffs.advise.risk import decibels

SCHEMA_VERSION = 1
PRECISIONS = ("float", "int8", "few-bit", "binary")
# Shown where signal and noise are of one size: what is left is mostly noise until it is trained.
_WEAK_DB = 6.0


@dataclass(frozen=True)
class LayerAdvice:
    """One layer: seconds and noise-to-signal ratio by precision, why it may not have some, and what the plan gives it.

    ``worth`` says which precision in bits saves how much, beside the plan's rest; None where none saves enough.

    ``seconds`` are of the layer with what is fused into it and what stands around for its sake.
    """

    name: str
    kind: str
    macs: int
    seconds: Mapping[str, float]
    noise: Mapping[str, float]
    refused: Mapping[str, str]
    chosen: str
    worth: str | None


@dataclass(frozen=True)
class Whole:
    """One network: what was predicted, what was measured on the device (None: not timed), its size."""

    title: str
    predicted_s: float
    low_s: float
    high_s: float
    measured_s: float | None
    bytes: int


@dataclass(frozen=True)
class Outcome:
    """What `--train` came to: files, accuracies on test data, median latency and size, and the gate's verdict."""

    model: str
    flatbuffer: str
    keras_accuracy: float
    accuracy: float
    latency_s: float | None
    bytes: int
    gate: str


@dataclass(frozen=True)
class Advice:
    """The whole of it.

    Attributes:
        networks: the model with all layers in one precision, as far as they can be.
        plan: the mix that is proposed, predicted before it was timed; ``plan_measured`` is the share of its ops' time
            that was measured, the rest was estimated from ops of the same kind.
        risk: the mean noise-to-signal ratio of the plan's layers, weighed by MACs.
        accuracies: on labelled data, before any training: "float", and "plan".
        statement: how far latencies of this device can be trusted.
    """

    model: str
    device: str
    threads: int
    layers: Sequence[LayerAdvice]
    networks: Sequence[Whole]
    plan: Whole
    plan_measured: float
    bits: Mapping[str, str]
    rest: str
    risk: float
    accuracies: Mapping[str, float]
    statement: str
    notes: Sequence[str] = ()
    outcome: Outcome | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; the same content as the table."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "risk_db": decibels(self.risk)}

    def table(self) -> str:
        """Lines for people."""
        return "\n".join([*_layers(self), "", *_networks(self), "", *_plan(self), *_outcome(self)])


@dataclass(frozen=True)
class _Grid:
    """Rows of cells, the first of which stand to the left."""

    rows: list[tuple[str, ...]] = field(default_factory=list)

    def lines(self, left: int = 1) -> list[str]:
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        made = []
        for row in self.rows:
            cells = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
            made.append("  ".join(cells).rstrip())
        return made


def _layers(advice: Advice) -> list[str]:
    grid = _Grid([("layer", "MACs", *PRECISIONS, "SNR int8/few-bit/binary", "worth it", "plan")])
    reasons: dict[str, list[str]] = {}
    for layer in advice.layers:
        times = [format_seconds(layer.seconds[p]) if p in layer.seconds else "-" for p in PRECISIONS]
        snr = " / ".join(f"{decibels(layer.noise[p]):.0f}" if p in layer.noise else "-" for p in PRECISIONS[1:])
        grid.rows.append((layer.name, format_count(layer.macs), *times, f"{snr} dB", layer.worth or "no", layer.chosen))
        for precision, reason in layer.refused.items():
            reasons.setdefault(f"{precision} not possible: {reason}", []).append(layer.name)
    lines = grid.lines()
    lines.insert(1, "-" * max(map(len, lines)))
    for reason, names in reasons.items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        lines.append(f"  {shown}: {reason}")
    return lines


def _networks(advice: Advice) -> list[str]:
    grid = _Grid([("whole network", "predicted", "measured", "size")])
    for one in advice.networks:
        measured = format_seconds(one.measured_s) if one.measured_s is not None else "-"
        grid.rows.append((one.title, format_seconds(one.predicted_s), measured, format_bytes(one.bytes)))
    return [*grid.lines(), advice.statement, *(f"note: {note}" for note in advice.notes)]


def _plan(advice: Advice) -> list[str]:
    plan = advice.plan
    lines = [
        f"plan: {plan.title}",
        f"  expected latency  {format_seconds(plan.predicted_s)} "
        f"({format_seconds(plan.low_s)} to {format_seconds(plan.high_s)}; {advice.plan_measured:.0%} of it from ops "
        f"that were timed, the rest from ops of their kind) on {advice.device}, threads: {advice.threads}",
        f"  size              {format_bytes(plan.bytes)}",
        f"  accuracy risk     {_risk(advice)}",
    ]
    for name, precision in advice.bits.items():
        lines.append(f"    {name}: {precision}")
    return lines


def _risk(advice: Advice) -> str:
    text = f"SNR {decibels(advice.risk):.1f} dB over its layers" if advice.risk else "none: nothing is quantized"
    if advice.risk and decibels(advice.risk) < _WEAK_DB:
        text += ", so weak that it has to be trained"
    if "plan" in advice.accuracies:
        plan, plain = (advice.accuracies[name] for name in ("plan", "float"))
        text += f"; {plan:.1%} right before any training, the float model {plain:.1%}"
    return text + "\n    A risk, no promise: training takes back what it can, and only --train shows how much"


def _outcome(advice: Advice) -> list[str]:
    found = advice.outcome
    if found is None:
        return []
    grid = _Grid([("carried out", "expected", "measured")])
    latency = format_seconds(found.latency_s) if found.latency_s is not None else "-"
    if found.latency_s:
        latency += f" ({advice.plan.predicted_s / found.latency_s - 1:+.1%} expected)"
    grid.rows.append(("latency", format_seconds(advice.plan.predicted_s), latency))
    grid.rows.append(("size", format_bytes(advice.plan.bytes), format_bytes(found.bytes)))
    before = f"{advice.accuracies['plan']:.1%} untrained" if "plan" in advice.accuracies else "-"
    grid.rows.append(("accuracy", before, f"{found.accuracy:.1%} (Keras {found.keras_accuracy:.1%})"))
    return ["", *grid.lines(), f"measurement: {found.gate}", f"{found.model}, {found.flatbuffer}"]
