"""A point's JSON documents. Anybody may have written the folder that they come from, so nothing trusts their form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit.tradeoffs.report.sound import is_figure

MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Unreadable:
    """Why a document cannot be shown."""

    reason: str


Document = Mapping[str, Any] | Unreadable | None


def read(path: Path | None) -> Document:
    """The JSON object in ``path``; None when the point has no such document."""
    if path is None:
        return None
    try:
        if path.stat().st_size > MOST_BYTES:
            return Unreadable(f"{path.name} has more than {MOST_BYTES >> 20} MiB")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return Unreadable(f"{path.name}: {error.strerror}")
    except (ValueError, RecursionError) as error:
        return Unreadable(f"{path.name} is no JSON: {error}")
    return found if isinstance(found, Mapping) else Unreadable(f"{path.name} holds no JSON object")


def part(document: Document, name: str) -> Document:
    """``document[name]`` when that is an object, as in the one file of ``tfkit convert --json``; else the document."""
    inner = mapping(document).get(name)
    return inner if isinstance(inner, Mapping) else document


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects in a list; nothing if ``value`` is no list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def texts(value: Any) -> Sequence[str]:
    """The strings in a list; nothing if ``value`` is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def number(value: Any) -> float | None:
    """``value`` if it is a number that can be shown, else None."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and is_figure(value)
    return value if right else None


def result_of(bench: Document, flatbuffer: Path | None) -> Mapping[str, Any]:
    """The result for ``flatbuffer`` in a document of ``tfkit bench``; the first one when its name is not there."""
    results = objects(mapping(bench).get("results"))
    named = [r for r in results if flatbuffer and mapping(r.get("model")).get("name") == flatbuffer.name]
    return (named or results or [{}])[0]
