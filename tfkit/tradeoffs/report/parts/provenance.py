"""What made the figures: device, settings, files and versions, as ``tfkit bench`` wrote them down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from tfkit.tradeoffs.report.artifacts import Document, Unreadable, mapping
from tfkit.tradeoffs.report.markup import element, facts, folded
from tfkit.tradeoffs.report.parts.text import flattened, shown

_PARTS = ("device", "spec", "artifacts", "host")


def provenance(document: Document, result: Mapping[str, Any]) -> Element:
    """The model's hash and the date first; the rest behind folds."""
    if document is None:
        return element("p", "This point has no measurement.", class_="none")
    if isinstance(document, Unreadable):
        return element("p", f"The measurement cannot be read: {document.reason}.", class_="none")
    pairs = [("measured", shown(mapping(document).get("created"))), *flattened(mapping(result.get("model")))]
    made = element("div", facts(pairs))
    for name in _PARTS:
        made.append(folded(name, facts(flattened(mapping(mapping(document).get(name))))))
    return made
