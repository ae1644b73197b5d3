"""The page: one HTML file that opens from a disk without a network, and may load nothing even if there is one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import tfkit
from tfkit.tradeoffs.report import palette, wording
from tfkit.tradeoffs.report.averages import Average
from tfkit.tradeoffs.report.content import content
from tfkit.tradeoffs.report.details import Details
from tfkit.tradeoffs.report.filters import filters, legend
from tfkit.tradeoffs.report.markup import Child, append, element, embedded, facts, raw, table, written
from tfkit.tradeoffs.report.rows import rows
from tfkit.tradeoffs.report.study import Device, Study

_ASSETS = Path(__file__).with_name("assets")
# In this order they make one script: what is used stands before what uses it.
_SCRIPTS = ("state", "svg", "scale", "details", "labels", "chart", "bars", "table", "export", "main")
_READING = (
    ("throughput", "inferences per second one after the other, 1 / median latency; on emulated devices the number of "
     "instructions stands in its place, which is not a time"),
    ("error bars", "accuracy: from the lowest to the highest seed; latency: the 95 % interval of the median, over all "
     "seeds"),
    ("Pareto front", "points that no other trusted point of the device beats in accuracy and in cost; filters do not "
     "change it"),
    ("hollow marks", "the bench gate does not trust the measurement; open the point for its reasons"),
    ("ringed marks", "int8 points, which binary and few-bit ones have to beat"),
)  # fmt: skip


def to_html(study: Study) -> str:
    """The page as text. The same sweep gives the same page, byte for byte."""
    style, script = _style(), _script()
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{study.title}: accuracy and cost"),
        element("link", rel="icon", href="data:,"),
        raw("style", style),
    )
    body = element("body", *_body(study))
    body.append(raw("script", embedded(content(study)), type="application/json", id="data"))
    body.append(raw("script", script))
    return "<!doctype html>\n" + written(element("html", head, body, lang="en")) + "\n"


def _style() -> str:
    text = (_ASSETS / "style.css").read_text(encoding="utf-8")
    classes = "".join(f".c{n} {{ --colour: var(--c{n}); }}\n" for n in range(len(palette.COLOURS)))
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {palette.variables(dark=True)} }} }}\n"
    return f":root {{ {palette.variables(dark=False)} }}\n{dark}{classes}{text}"


def _script() -> str:
    parts = [(_ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _policy(style: str, script: str) -> str:
    """Only this style and this script, nothing from anywhere: what slipped in as text would still not run."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _body(study: Study) -> Iterator[Element]:
    yield element("header", element("h1", study.title), element("p", f"{study.summary}."))
    yield element("p", "Charts, filters and details need JavaScript; the tables do not.", id="no-script")
    if not study.averages:
        yield element("p", "No point is finished yet.", class_="warning")
    main = element("main")
    if study.averages:
        main.append(filters(study))
        main.append(_charts(study))
    for part in (_against_int8(study), _bars(study), _table(study), _failed(study)):
        append(main, part)
    yield main
    yield element("footer", element("h2", "How to read this"), facts(_READING), element("p", _made()))
    details = Details()
    for place, one in enumerate(study.averages):
        details.add(place, one, any(one.mean.key in device.front for device in study.devices))
    close = element("button", "Close", type="button", id="close")
    yield element("dialog", close, element("div", id="opened"), id="details", aria_labelledby="details-title")
    yield from details.templates()


def _made() -> str:
    return f"Made by tfkit report {tfkit.__version__}; tfkit report --figures FOLDER draws the charts for print."


def _charts(study: Study) -> Element:
    made = element("section", element("h2", "Accuracy against cost", id="charts"), aria_labelledby="charts")
    if not all(device.emulated for device in study.devices):
        made.append(_choice("axis", "horizontal axis", (("throughput", "throughput"), ("latency", "latency"))))
    made.append(legend(study))
    for number, device in enumerate(study.devices):
        made.append(_panel(number, device))
    return made


def _panel(number: int, device: Device) -> Element:
    title = f"{device.name} (emulated: instructions, not time)" if device.emulated else device.name
    plot = element("div", class_="plot", role="group", aria_label=f"Chart of {device.name}")
    made = element("figure", element("figcaption", title), class_="panel", data_device=str(number))
    for remark in device.remarks:
        made.append(element("p", remark, class_="warning", role="note"))
    made.append(plot)
    return made


def _choice(name: str, title: str, options: tuple[tuple[str, str], ...]) -> Element:
    made = element("fieldset", element("legend", title), class_="choice")
    for place, (value, text) in enumerate(options):
        checked = "" if place == 0 else None
        button = element("input", type="radio", name=name, value=value, checked=checked)
        made.append(element("label", button, text))
    return made


def _against_int8(study: Study) -> Element | None:
    lines = []
    for device in study.devices:
        if any(study.families[one.mean.key] == "int8" for one in device.averages):  # else its remark says all there is
            for one in device.comparisons:
                beside = (_beside(one.low_bit), one.verdict, _beside(one.as_cheap), _beside(one.as_accurate))
                lines.append((device.name, *beside))
    if not lines:
        return None
    headings = ("device", "binary or few-bit", "verdict", "best int8 at its cost", "cheapest int8 at its accuracy")
    title = element("h2", "Binary and few-bit points beside int8", id="int8")
    return element("section", title, table(headings, lines), aria_labelledby="int8")


def _beside(one: Average | None) -> Child:
    if one is None:
        return "none"
    figures = f"{wording.accuracy(one.mean.accuracy)}, {wording.cost(one)}"
    return element("div", element("div", figures), element("small", one.name))


def _bars(study: Study) -> Element | None:
    if not study.averages:
        return None
    options = (("size", "file size"), ("memory", "peak memory"), ("macs", "MACs"), ("parameters", "parameters"))
    title = element("h2", "Size, memory, MACs", id="bars-title")
    bars = element("ol", id="bars")
    return element("section", title, _choice("metric", "bars", options), bars, aria_labelledby="bars-title")


def _table(study: Study) -> Element | None:
    if not study.averages:
        return None
    save = element("button", "Save as CSV", type="button", id="save")
    title = element("h2", "All points", id="points")
    best = element("p", id="best", aria_live="polite")
    return element("section", title, best, save, rows(study), aria_labelledby="points")


def _failed(study: Study) -> Element | None:
    failed = study.in_state("failed")
    if not failed:
        return None
    lines = [
        (
            point.series,
            point.model,
            wording.settings(point.settings),
            str(point.seed),
            point.device,
            point.reason or "-",
        )
        for point in failed
    ]
    headings = ("series", "model", "settings", "seed", "device", "reason")
    title = element("h2", "Failed", id="failed")
    return element("section", title, table(headings, lines), aria_labelledby="failed")
