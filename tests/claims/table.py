"""Tables as Markdown has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Headings and lines; a line may be shorter."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rows_of(page: Path, headings: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The rows that the table of a page has already, by their first cell; none when there is no page."""
    if not page.exists():
        return {}
    lines = re.findall(r"^\|.*\|$", page.read_text(), re.M)
    cells = [tuple(part.strip() for part in line[1:-1].split("|")) for line in lines]
    known = [cell for cell in cells if len(cell) == len(headings)]
    return {cell[0]: cell for cell in known if cell != tuple(headings) and set(cell) != {"---"}}
