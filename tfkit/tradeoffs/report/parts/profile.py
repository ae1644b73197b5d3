"""The profile of ``tfkit bench --profile``: one row an op, in order of execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from tfkit.tradeoffs.report.artifacts import mapping, number, objects, texts
from tfkit.tradeoffs.report.markup import element, table
from tfkit.tradeoffs.report.parts.text import count, seconds, share, shown

_HEADINGS = ("layer", "op", "runs in", "kernel", "time", "share", "", "MACs", "GOPS")


def profile(result: Mapping[str, Any]) -> Element:
    """The table; the bars are shares of the time in the interpreter."""
    content = mapping(result.get("profile"))
    rows = objects(content.get("rows"))
    if not rows:
        return element("p", "This point has no profile.", class_="none")
    largest = max((number(row.get("share")) or 0.0 for row in rows), default=0.0)
    made = element("div", table(_HEADINGS, [_row(row, largest) for row in rows], 5))
    rest = seconds(content.get("dispatch_seconds")), seconds(content.get("total_seconds"))
    made.append(
        element(
            "p",
            f"Between ops {rest[0]}; {rest[1]} in all. Means of {shown(content.get('runs'))} profiled runs; profiling "
            "costs time, so none of this is a latency.",
        )
    )
    for note in texts(content.get("notes")):
        made.append(element("p", f"Note: {note}"))
    return made


def _row(row: Mapping[str, Any], largest: float) -> tuple[str | Element, ...]:
    names = (shown(row.get("layer") or ""), shown(row.get("op") or ""), shown(row.get("runs_in") or ""))
    if row.get("how") == "fused":
        into = row.get("into")
        kernel = "fused" if into is None else f"fused into op {shown(into)}"
        return (*names, kernel, "", "", "", count(row.get("macs")), "")
    part = number(row.get("share")) or 0.0
    gops = "" if row.get("gops") is None else shown(row.get("gops"))
    figures = (_time(row), share(row.get("share")), _bar(part / largest if largest > 0 else 0.0))
    return (*names, shown(row.get("kernel") or ""), *figures, count(row.get("macs")), gops)


def _time(row: Mapping[str, Any]) -> str:
    """Below what its clock ticks in, no figure means anything."""
    taken, resolution = number(row.get("seconds")), number(row.get("resolution"))
    if taken is not None and resolution is not None and taken < resolution:
        return f"< {seconds(resolution)}"
    return seconds(row.get("seconds"))


def _bar(part: float) -> Element:
    """A bar in a drawing, because the page allows no style attributes."""
    width = f"{100 * min(max(part, 0.0), 1.0):.1f}"
    bar = element("rect", width=width, height="8")
    return element("svg", bar, class_="bar", viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true")
