"""The parity check of ``tfkit convert`` and ``verify``: how far flatbuffer and Keras model agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from tfkit.tradeoffs.report.artifacts import Document, Unreadable, mapping, number, objects, part, texts
from tfkit.tradeoffs.report.markup import element, folded, table
from tfkit.tradeoffs.report.parts.text import share, shown

_OUTPUTS = ("output", "data", "samples", "difference", "bound", "top-1 equal")
_LAYERS = ("layer", "op", "difference", "SQNR")


def parity(document: Document) -> Element:
    """The verdict, each output, and behind a fold each layer."""
    if document is None:
        return element("p", "This point has no parity check.", class_="none")
    if isinstance(document, Unreadable):
        return element("p", f"The parity check cannot be read: {document.reason}.", class_="none")
    content = mapping(part(document, "parity"))
    failed = content.get("ok") is not True
    made = element("div", element("p", shown(content.get("summary")), class_="bad" if failed else "good"))
    settings = [f"{name} {shown(content.get(name))}" for name in ("mode", "runtime", "seed")]
    made.append(element("p", ", ".join(settings)))
    outputs = [_output(one) for one in objects(content.get("outputs"))]
    if outputs:
        made.append(table(_OUTPUTS, outputs, 4))
    for text in (*texts(content.get("failures")), *texts(content.get("warnings"))):
        made.append(element("p", text, class_="bad"))
    layers = [_layer(one) for one in objects(content.get("layers"))]
    if layers:
        made.append(folded(f"{len(layers)} layers", table(_LAYERS, layers, 2)))
    return made


def _output(one: Mapping[str, Any]) -> tuple[str, ...]:
    unit = one.get("unit")
    top1 = "-" if one.get("top1") is None else share(one.get("top1"))
    figures = (_difference(one.get("difference"), unit), _difference(one.get("bound"), unit), top1)
    return (shown(one.get("name")), shown(one.get("data")), shown(one.get("samples")), *figures)


def _layer(one: Mapping[str, Any]) -> tuple[str, ...]:
    sqnr = number(one.get("sqnr_db"))
    difference = _difference(one.get("difference"), one.get("unit"))
    return (shown(one.get("layer")), shown(one.get("op")), difference, "-" if sqnr is None else f"{sqnr:.1f} dB")


def _difference(value: Any, unit: Any) -> str:
    found = number(value)
    if found is None:
        return shown(value)
    return f"{found:g} LSB" if unit == "LSB" else f"{found:.1e}"
