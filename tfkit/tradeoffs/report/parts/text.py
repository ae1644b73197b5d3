"""Values of JSON documents as text; where a document holds something else than it should, that is shown as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tfkit._units import format_bytes, format_count, format_seconds
from tfkit.tradeoffs.report.artifacts import number

LONGEST = 400
_DEPTH = 6


def shown(value: Any) -> str:
    """Any JSON value; cut where it is very long."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def seconds(value: Any) -> str:
    """A duration in seconds."""
    found = number(value)
    return shown(value) if found is None else format_seconds(found)


def size(value: Any) -> str:
    """A number of bytes."""
    found = number(value)
    return shown(value) if found is None else format_bytes(int(found))


def count(value: Any) -> str:
    """A number of things; zero is left out."""
    found = number(value)
    return shown(value) if found is None else format_count(int(found)) if found else ""


def share(value: Any) -> str:
    """A fraction in percent."""
    found = number(value)
    return shown(value) if found is None else f"{found:.1%}"


def flattened(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """A nested object as dotted names and texts."""
    if isinstance(value, Mapping) and depth < _DEPTH:
        for key, inner in value.items():
            yield from flattened(inner, f"{name}.{key}" if name else str(key), depth + 1)
    else:
        yield name, shown(value)
