"""The measurement of ``tfkit bench``: its figures, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from tfkit.tradeoffs.report.artifacts import Document, Unreadable, mapping, objects
from tfkit.tradeoffs.report.markup import element, facts
from tfkit.tradeoffs.report.parts.text import seconds, share, shown, size

_TIMES = (
    ("median_s", "median"),
    ("p90_s", "90th percentile"),
    ("p95_s", "95th percentile"),
    ("p99_s", "99th percentile"),
    ("whole_call_s", "with input and output"),
    ("first_run_s", "first run"),
    ("compile_s", "compiling"),
    ("load_s", "loading"),
)


def measurement(document: Document, result: Mapping[str, Any]) -> Element:
    """The gate's verdict with its reasons, the golden check, latency, memory."""
    if document is None:
        return element("p", "This point has no measurement.", class_="none")
    if isinstance(document, Unreadable):
        return element("p", f"The measurement cannot be read: {document.reason}.", class_="none")
    if mapping(document.get("device")).get("times_meaningful") is False:
        verdict = element("p", "Emulated: the output was checked, and instructions counted. Times would mean nothing.")
        return element("div", verdict, facts(_facts(result)))
    gate = mapping(result.get("gate"))
    level = shown(gate.get("level"))
    made = element("div", element("p", f"The gate says: {level}.", class_="good" if level == "trusted" else "bad"))
    reasons = [f"{shown(one.get('level'))}: {shown(one.get('text'))}" for one in objects(gate.get("reasons"))]
    if reasons:
        made.append(element("ul", *(element("li", reason) for reason in reasons)))
    made.append(facts(_facts(result)))
    return made


def _facts(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "golden check", shown(mapping(result.get("golden")).get("summary"))
    yield "threads", shown(result.get("threads"))
    latency = mapping(result.get("latency"))
    for key, name in _TIMES:
        if latency.get(key) is not None:
            yield name, seconds(latency[key])
    interval = latency.get("interval_s")
    if isinstance(interval, list) and len(interval) == 2:
        yield "95 % interval of the median", " to ".join(map(seconds, interval))
    if latency.get("between_process_cv") is not None:
        yield "variation between processes", share(latency["between_process_cv"])
    if latency.get("samples") is not None:
        yield "runs", shown(latency["samples"])
    for stage in objects(mapping(result.get("memory")).get("stages")):
        yield f"memory, {shown(stage.get('stage'))}", size(stage.get("vm_hwm"))
