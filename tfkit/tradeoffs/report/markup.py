"""HTML as a tree: every text is escaped when it is written, because nothing here puts strings together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tfkit.bench.table import printable

Child = Element | str | None


def element(tag: str, *children: Child, **attributes: str | None) -> Element:
    """An element. ``class_`` stands for ``class``, ``data_part`` for ``data-part``; None leaves an attribute out."""
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    made = Element(tag, {name: printable(value) for name, value in names.items() if value is not None})
    for child in children:
        append(made, child)
    return made


def append(parent: Element, child: Child) -> None:
    """Put ``child`` behind what ``parent`` holds. Control characters of a text are shown, not sent."""
    if child is None:
        return
    if isinstance(child, Element):
        parent.append(child)
        return
    text = printable(child)
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def raw(tag: str, text: str, **attributes: str) -> Element:
    """A ``style`` or ``script``, whose text HTML takes as it is; ours only, or JSON from ``embedded``."""
    made = element(tag, **attributes)
    made.text = text
    return made


def table(headings: Sequence[str], rows: Iterable[Sequence[Child]], numbers: int = 0) -> Element:
    """A table that scrolls by itself; the last ``numbers`` columns are aligned to the right."""
    first = len(headings) - numbers

    def cell(tag: str, content: Child, column: int) -> Element:
        return element(tag, content, class_="number" if column >= first else None)

    head = element("tr", *(cell("th", heading, column) for column, heading in enumerate(headings)))
    body = element("tbody")
    for row in rows:
        body.append(element("tr", *(cell("td", content, column) for column, content in enumerate(row))))
    return element("div", element("table", element("thead", head), body), class_="scroll")


def facts(pairs: Iterable[tuple[str, Child]]) -> Element:
    """Names and values, one pair a line."""
    made = element("dl")
    for name, value in pairs:
        made.append(element("dt", name))
        made.append(element("dd", value))
    return made


def folded(title: str, *content: Child, open_: bool = False) -> Element:
    """A part that opens."""
    return element("details", element("summary", title), *content, open="" if open_ else None)


def embedded(value: Any) -> str:
    """JSON for a ``script`` block, which no text in it can end: ``<``, ``>`` and ``&`` are written as escapes."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)  # ASCII only, so U+2028 is escaped, too
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def written(root: Element) -> str:
    """The tree as HTML."""
    return ElementTree.tostring(root, encoding="unicode", method="html")
