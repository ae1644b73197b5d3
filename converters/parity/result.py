"""What a parity check found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Output:
    """One output on one set of samples.

    ``difference`` and ``bound`` are in ``unit``: ``LSB`` for integer outputs, ``relative`` (to the largest value of
    the output) for floats. ``bound`` None: not judged here. ``top1`` is the share of samples whose largest class is
    the same; None where that means nothing, and ``remark`` says why.
    """

    name: str
    data: str
    samples: int
    unit: str
    difference: float
    bound: float | None
    top1: float | None
    accuracy: tuple[float, float] | None = None  # Keras, flatbuffer; with labels only
    remark: str = ""


@dataclass(frozen=True)
class Layer:
    """One op with weights against the Keras layer it came from."""

    layer: str
    op: str
    unit: str
    difference: float
    sqnr_db: float | None


@dataclass(frozen=True)
class Point:
    """One sign or rounding: where Keras and flatbuffer decided otherwise.

    ``ties`` are decisions on values closer to the threshold than float rounding can tell; ``errors`` are the rest.
    """

    layer: str
    kind: str
    values: int
    ties: int
    errors: int
    largest: float
    bound: float


@dataclass(frozen=True)
class Kernel:
    """One op of a quantized graph: the shipped kernel against TFLite's reference kernel on the same input."""

    op: str
    tensor: str
    unit: str
    difference: float
    bound: float


@dataclass(frozen=True)
class Parity:
    """The verdict with everything it stands on; ``mode`` is ``float``, ``trained int8``, or ``post-training``."""

    mode: str
    runtime: str
    seed: int
    outputs: tuple[Output, ...]
    points: tuple[Point, ...] = ()
    kernels: tuple[Kernel, ...] = ()
    layers: tuple[Layer, ...] = ()
    first_diverging: str = ""
    warnings: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.failures

    @property
    def ties(self) -> int:
        """Decisions that float rounding cannot tell, over all points."""
        return sum(point.ties for point in self.points)

    @property
    def summary(self) -> str:
        """One line."""
        if self.failures:
            return f"parity failed: {self.failures[0]}"
        worst = max(self.outputs, key=lambda o: o.difference / o.bound if o.bound else o.difference)
        text = f"{worst.difference:g} LSB" if worst.unit == "LSB" else f"{worst.difference:.1e} relative"
        parts = [f"{text} from Keras"]
        if self.kernels:
            integer = [k.difference for k in self.kernels if k.unit == "LSB"]
            if integer:
                parts.append(f"kernels within {max(integer):g} LSB of the reference")
        if self.ties:
            parts.append(f"{self.ties} ties settled the flatbuffer's way")
        shares = [o.top1 for o in self.outputs if o.top1 is not None]
        if shares:
            parts.append(f"top-1 equal {min(shares):.1%}")
        return f"parity ok: {', '.join(parts)}"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; the same content as the table."""
        return {"schema_version": SCHEMA_VERSION, "ok": self.ok, "summary": self.summary, **asdict(self)}

    def table(self, layers: bool = False) -> str:
        """Lines for people; ``layers`` adds the difference of every layer."""
        lines = [f"parity ({self.mode}, in {self.runtime}, seed {self.seed})"]
        rows = [("output", "data", "samples", "difference", "bound", "top-1 equal")]
        for o in self.outputs:
            rows.append(
                (o.name, o.data, str(o.samples), _value(o.difference, o.unit), _value(o.bound, o.unit), _share(o))
            )
        lines += _columns(rows)
        for o in self.outputs:
            if o.accuracy is not None:
                lines.append(f"  accuracy on {o.data}: Keras {o.accuracy[0]:.1%}, flatbuffer {o.accuracy[1]:.1%}")
            if o.remark:
                lines.append(f"  {o.name} on {o.data}: {o.remark}")
        if self.kernels:
            worst = max(self.kernels, key=lambda k: k.difference / k.bound if k.bound else k.difference)
            lines.append(
                f"  {len(self.kernels)} ops, shipped against reference kernels: at most "
                f"{_value(worst.difference, worst.unit)} in {worst.op} (bound {_value(worst.bound, worst.unit)})"
            )
        if self.points:
            values = sum(p.values for p in self.points)
            lines.append(f"  {len(self.points)} signs and roundings, {values} values: {self.ties} ties")
        if layers and self.layers:
            header = ("layer", "op", "difference", "SQNR")
            body = [
                (e.layer, e.op, _value(e.difference, e.unit), "-" if e.sqnr_db is None else f"{e.sqnr_db:.1f} dB")
                for e in self.layers
            ]
            lines += _columns([header, *body])
        elif self.layers and self.mode == "post-training":
            worst_layer = min(self.layers, key=lambda e: 1e9 if e.sqnr_db is None else e.sqnr_db)
            if worst_layer.sqnr_db is not None:
                lines.append(f"  lowest SQNR: {worst_layer.sqnr_db:.1f} dB in {worst_layer.layer}")
        if self.first_diverging:
            lines.append(f"  first layer that differs: {self.first_diverging}")
        lines += [f"warning: {text}" for text in self.warnings]
        return "\n".join([*lines, self.summary])


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:g} LSB" if unit == "LSB" else f"{value:.1e}"


def _share(output: Output) -> str:
    return "-" if output.top1 is None else f"{output.top1:.1%}"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
