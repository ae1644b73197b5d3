"""The op ledger of ``tfkit convert``: what became of each declared layer."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from tfkit.tradeoffs.report.artifacts import Document, Unreadable, mapping, objects, part, texts
from tfkit.tradeoffs.report.markup import element, table
from tfkit.tradeoffs.report.parts.text import shown, size

_HEADINGS = ("layer", "declared", "became", "precision", "ships as", "status", "remark", "bytes")


def ledger(document: Document) -> Element:
    """One row a layer, with the reason where it fell back."""
    if document is None:
        return element("p", "This point has no ledger.", class_="none")
    if isinstance(document, Unreadable):
        return element("p", f"The ledger cannot be read: {document.reason}.", class_="none")
    content = mapping(part(document, "ledger"))
    rows = []
    for entry in objects(content.get("entries")):
        status = shown(entry.get("status"))
        remark = " ".join(shown(entry[name]) for name in ("reason", "fix") if entry.get(name))
        rewritten = f" (rewritten from {shown(entry['rewritten'])})" if entry.get("rewritten") else ""
        rows.append(
            (
                shown(entry.get("layer")),
                shown(entry.get("declared")),
                shown(entry.get("op")) + rewritten,
                shown(entry.get("precision")),
                shown(entry.get("ships_as") or ""),
                element("span", status, class_="bad" if status == "fallback" else None),
                remark,
                size(entry.get("bytes")),
            )
        )
    made = element("div", table(_HEADINGS, rows, 1) if rows else None)
    if not rows:
        made.append(element("p", "No layer is declared binary, few-bit, int8 or sparse.", class_="none"))
    for note in texts(content.get("notes")):
        made.append(element("p", f"Note: {note}"))
    return made
