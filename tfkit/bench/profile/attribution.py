"""From the runner's profile to the flatbuffer's ops: every microsecond goes to one row, or to what belongs to none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import StatisticsError, fmean
from typing import Any

from tfkit._errors import DataError
from tfkit.bench.profile.alignment import align
from tfkit.bench.profile.model import FUSED, MEASURED, UNATTRIBUTED, Profile, Row
from tfkit.bench.profile.names import layer_names
from tfkit.converters import flatbuffer
from tfkit.converters.inspection import OpReport, inspect

_INTERPRETER = "interpreter"
_DELEGATES = {"TfLiteXNNPackDelegate": "XNNPACK", "TfkitDelegate": "tfkit"}
_MICROSECOND = 1e-6


@dataclass(frozen=True)
class _Ops:
    """What the flatbuffer tells of its ops."""

    reports: tuple[OpReport, ...]
    layers: Sequence[str]

    def row(self, index: int, runs_in: str, partition: int | None, kernel: str, seconds: float, how: str) -> Row:
        if not 0 <= index < len(self.reports):
            raise DataError(
                f"the profile names node {index}, but the flatbuffer has {len(self.reports)} ops; give the flatbuffer "
                "that was profiled"
            )
        op = self.reports[index]
        binary = op.macs if op.precision == "binary" else 0
        layer = self.layers[index]
        # The delegate leaves out zeros of what is stored sparse, XNNPACK multiplies by them.
        macs = op.nonzero_macs if runs_in == "tfkit" else op.macs
        return Row(index, op.name, layer, runs_in, partition, kernel, seconds, macs, binary, how)


def attribute(document: Mapping[str, Any], model: bytes) -> Profile:
    """Map a document of ``tfkit_bench --mode profile`` back to ``model``, the flatbuffer that it ran.

    Raises:
        DataError: the document holds no profile, or one of another flatbuffer.
        ModelError: no sound flatbuffer.
    """
    profile = document.get("profile")
    if not profile:
        raise DataError("this document holds no profile; run tfkit_bench with --mode profile")
    try:
        return _attributed(document, profile, model)
    except (KeyError, TypeError, AttributeError, ValueError, StatisticsError) as error:
        raise DataError(f"the profile in this document is damaged ({error!r}); profile again") from error


def _attributed(document: Mapping[str, Any], profile: Mapping[str, Any], model: bytes) -> Profile:
    runs = int(profile["runs"])
    if runs == 0:
        raise DataError("no two runs had the same events, so there is nothing to average; profile again")
    ops = _Ops(inspect(model).ops, layer_names(flatbuffer.parse(model).main))
    rows = tuple(_rows(document, profile, ops))
    total = fmean(profile["wall_ns"]) * 1e-9
    invoked = sum(_seconds(event) for event in profile["events"] if event["tag"] == "Invoke")
    runtime = max(0.0, total - invoked) if invoked else 0.0
    dispatch = total - runtime - sum(row.seconds for row in rows)
    return Profile(rows, total, dispatch, runtime, runs, int(profile["uneven_runs"]), _notes(profile, dispatch))


def _rows(document: Mapping[str, Any], profile: Mapping[str, Any], ops: _Ops) -> Iterator[Row]:
    """The plan's entries in order, each opened into its ops."""
    delegate = _delegate_seconds(profile.get("delegate_before"), document.get("delegate"))
    covered: set[int] = set()
    for entry in profile["plan"]:
        node = entry["node"]
        events = [event for event in profile["events"] if event["node"] == node]
        own = sum(_seconds(event) for event in events if event["kind"] == "node")
        inner = [event for event in events if event["kind"] == "inner"]
        covered.update(id(event) for event in events)
        if entry["delegate"] is None:
            tag = next((event["tag"] for event in events if event["kind"] == "node"), "")
            yield ops.row(node, _INTERPRETER, None, tag, own, MEASURED)
        elif entry["delegate"] == "TfkitDelegate":
            yield from _tfkit(entry, own, delegate, ops)
        else:
            yield from _operators(entry, own, inner, ops)
    for event in profile["events"]:
        if event["kind"] == "inner" and id(event) not in covered:
            yield _stray(event["tag"], _seconds(event), "unknown", None)


def _tfkit(
    entry: Mapping[str, Any], own: float, delegate: Mapping[int, tuple[str, float | None]], ops: _Ops
) -> Iterator[Row]:
    """A partition of tfkit's delegate, which times each node by itself.

    The partition's event has microseconds; the delegate's nanoseconds are the finer figure for the nodes, and what
    remains of the event is the partition's own.
    """
    timed = 0.0
    for index in entry["replaces"]:
        kernel, seconds = delegate.get(index, ("", None))
        how = MEASURED if seconds is not None else FUSED
        timed += seconds or 0.0
        row = ops.row(index, "tfkit", entry["node"], kernel, seconds or 0.0, how)
        yield replace(row, resolution=1e-9)
    if own > timed:
        yield _stray("around its kernels", own - timed, "tfkit", entry["node"])


def _operators(entry: Mapping[str, Any], own: float, inner: Sequence[Mapping[str, Any]], ops: _Ops) -> Iterator[Row]:
    """A partition whose operators are reported by name only: XNNPACK's."""
    runs_in, node, replaces = _DELEGATES.get(entry["delegate"], entry["delegate"]), entry["node"], entry["replaces"]
    if not replaces or not inner:
        seconds = own + sum(_seconds(event) for event in inner)
        yield from (ops.row(index, runs_in, node, "", 0.0, UNATTRIBUTED) for index in replaces)
        yield _stray("the whole partition", seconds, runs_in, node)
        return
    names = [ops.row(index, runs_in, node, "", 0.0, FUSED).op for index in replaces]
    matched = align([event["tag"] for event in inner], names)
    found = {position: event for position, event in zip(matched, inner, strict=True) if position is not None}
    previous: int | None = None
    for position, index in enumerate(replaces):
        if position in found:
            yield ops.row(index, runs_in, node, found[position]["tag"], _seconds(found[position]), MEASURED)
            previous = index
        else:
            later = next((replaces[p] for p in sorted(found) if p > position), None)
            into = previous if previous is not None else later
            yield replace(ops.row(index, runs_in, node, "", 0.0, FUSED), into=into)
    for at, event in zip(matched, inner, strict=True):
        if at is None:
            yield _stray(event["tag"], _seconds(event), runs_in, node)
    rest = own - sum(_seconds(event) for event in inner)
    if rest > 0:
        yield _stray("around its operators", rest, runs_in, node)


def _stray(what: str, seconds: float, runs_in: str, partition: int | None) -> Row:
    return Row(None, "", "", runs_in, partition, what, seconds, 0, 0, UNATTRIBUTED)


def _delegate_seconds(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[int, tuple[str, float | None]]:
    """Kernel and mean seconds of each of the delegate's nodes over the profiled runs; None for one that never ran."""
    earlier = {node["node"]: node for node in (before or {}).get("nodes", ())}
    found: dict[int, tuple[str, float | None]] = {}
    for node in (after or {}).get("nodes", ()):
        base = earlier.get(node["node"], {"invocations": 0, "nanoseconds": 0})
        runs = node["invocations"] - base["invocations"]
        mean = (node["nanoseconds"] - base["nanoseconds"]) / runs * 1e-9 if runs > 0 else None
        found[node["node"]] = (node["kernel"], mean)
    return found


def _seconds(event: Mapping[str, Any]) -> float:
    return fmean(event["us"]) * _MICROSECOND


def _notes(profile: Mapping[str, Any], dispatch: float) -> tuple[str, ...]:
    notes = []
    if profile["uneven_runs"]:
        notes.append(f"{profile['uneven_runs']} runs had other events than the first and are left out")
    if any(event["kind"] == "nested" for event in profile["events"]):
        notes.append("ops of further graphs (loops, conditions) are part of the op that calls them")
    if dispatch < 0:
        notes.append("the profiler's microseconds add up to more than the interpreter's own time")
    return tuple(notes)
