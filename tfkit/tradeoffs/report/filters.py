"""What narrows the page down: fields for all charts and tables, and the legend, whose entries switch series."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from tfkit.tradeoffs.report.markup import element
from tfkit.tradeoffs.report.palette import MARKS, style
from tfkit.tradeoffs.report.study import Study


def filters(study: Study) -> Element:
    """A field for each question; those that no device can answer are left out."""
    models = dict.fromkeys(one.mean.model for one in study.averages)
    made = element("form", class_="filters", id="filters", aria_label="Filters")
    made.append(_field("search", element("input", type="search", name="text", placeholder="any word")))
    made.append(_select("model", "model", models))
    made.append(_select("device", "device", (device.name for device in study.devices)))
    if not all(device.emulated for device in study.devices):
        made.append(_number("latency, at most (ms)", "maxLatency"))
    if any(device.emulated for device in study.devices):
        made.append(_number("instructions, at most (millions)", "maxInstructions"))
    made.append(_number("accuracy, at least (%)", "minAccuracy"))
    made.append(element("label", element("input", type="checkbox", name="trusted"), "trusted only", class_="check"))
    made.append(element("button", "Show all", type="reset"))
    made.append(element("output", id="count", aria_live="polite"))
    return made


def legend(study: Study) -> Element:
    """One button a series, pressed means shown; and what the other signs in the charts mean."""
    made = element("div", class_="legend", role="group", aria_label="Series")
    for place, name in enumerate(study.series):
        made.append(element("button", mark(place), name, type="button", aria_pressed="true", data_series=str(place)))
    circle = MARKS["o"]
    made.append(_key("Pareto front", element("path", class_="front", d="M-8 0H8")))
    made.append(_key("int8 baseline", element("path", d=circle), element("circle", class_="ring", r="7.5")))
    made.append(_key("not trusted", element("path", class_="hollow", d=circle)))
    return made


def _key(text: str, *drawing: Element) -> Element:
    sign = element("svg", *drawing, class_="mark", viewBox="-8 -8 16 16", aria_hidden="true")
    return element("span", sign, text, class_="key")


def mark(place: int) -> Element:
    """The mark of the series at ``place``."""
    look = style(place)
    path = element("path", d=MARKS[look.mark])
    return element("svg", path, class_=f"mark c{look.colour}", viewBox="-8 -8 16 16", aria_hidden="true")


def _field(title: str, control: Element) -> Element:
    return element("label", element("span", title), control)


def _number(title: str, name: str) -> Element:
    return _field(title, element("input", type="number", name=name, min="0", step="any", inputmode="decimal"))


def _select(title: str, name: str, options: Iterable[str]) -> Element:
    made = element("select", element("option", "all", value=""), name=name)
    for place, text in enumerate(options):
        made.append(element("option", text, value=str(place)))
    return _field(title, made)
