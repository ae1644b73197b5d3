"""The table of all points. Its rows are here without any script; the script sorts and hides them."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tfkit.tradeoffs.report import wording
from tfkit.tradeoffs.report.averages import Average
from tfkit.tradeoffs.report.filters import mark
from tfkit.tradeoffs.report.markup import element
from tfkit.tradeoffs.report.study import Study

# What the script sorts by (a name in ``content``), and the heading.
_COLUMNS = (
    ("series", "series"),
    ("label", "model"),
    ("device", "device"),
    ("accuracy", "accuracy"),
    ("latency", "latency"),
    ("instructions", "instructions"),
    ("front", "Pareto"),
    ("trusted", "trust"),
    ("size", "size"),
    ("memory", "peak memory"),
    ("macs", "MACs"),
    ("parameters", "parameters"),
    ("seeds", "seeds"),
)
_TEXTS = ("series", "label", "device", "front", "trusted")


def rows(study: Study) -> Element:
    """A column that no point has a figure for is left out."""
    empty = set(_empty(study))
    columns = [(key, title) for key, title in _COLUMNS if key not in empty]
    head = element("tr")
    for key, title in columns:
        button = element("button", title, type="button", data_key=key)
        head.append(element("th", button, scope="col", class_=None if key in _TEXTS else "number"))
    body = element("tbody", id="rows")
    fronts = {key for device in study.devices for key in device.front}
    for place, one in enumerate(study.averages):
        cells = dict(_cells(one, place, study.series.index(one.mean.series), one.mean.key in fronts))
        row = element("tr", data_point=str(place))
        for key, _ in columns:
            row.append(element("td", cells[key], class_=None if key in _TEXTS else "number"))
        body.append(row)
    return element("div", element("table", element("thead", head), body, class_="points"), class_="scroll")


def _empty(study: Study) -> Iterator[str]:
    fields = {
        "latency": "latency_ms",
        "instructions": "instructions",
        "size": "size_bytes",
        "memory": "peak_memory_bytes",
        "macs": "macs",
        "parameters": "parameters",
    }
    for key, field in fields.items():
        if all(getattr(one.mean, field) is None for one in study.averages):
            yield key


def _cells(one: Average, place: int, series: int, on_front: bool) -> Iterator[tuple[str, Element | str]]:
    mean = one.mean
    yield "series", element("button", mark(series), mean.series, type="button", class_="open", data_open=str(place))
    yield "label", one.variant
    yield "device", mean.device
    yield "accuracy", wording.accuracy(mean.accuracy)
    yield "latency", wording.latency(mean.latency_ms)
    yield "instructions", wording.count(mean.instructions)
    yield "size", wording.size(mean.size_bytes)
    yield "memory", wording.size(mean.peak_memory_bytes)
    yield "macs", wording.count(mean.macs)
    yield "parameters", wording.count(mean.parameters)
    yield "front", "★ front" if on_front else ""
    untrusted = mean.trusted is False
    yield "trusted", element("span", wording.trust(mean.trusted), class_="bad" if untrusted else None)
    yield "seeds", str(len(one.seeds))
