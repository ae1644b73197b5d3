"""Results of many runs in one JSON file: what was asked for, and a record of every run that has ended."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class Results:
    """What ``path`` holds already; after each ``add`` it holds one record more, whole."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path = path
        self._found = json.loads(path.read_text()) if path.exists() else {"settings": settings, "runs": []}
        if self._found["settings"] != settings:
            raise SystemExit(f"{path} is of another experiment, {self._found['settings']}; give another --output")

    def keys(self, *names: str) -> set[tuple[Any, ...]]:
        """The values of these names in every record."""
        return {tuple(one[name] for name in names) for one in self._found["runs"]}

    def add(self, record: Mapping[str, Any]) -> None:
        self._found["runs"].append(dict(record))
        write_json(self._path, self._found)


def write_json(path: Path, content: Any) -> None:
    """Write a file that is never seen half."""
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(temporary, path)


def cell(values: Sequence[float] | None) -> str:
    """Mean and range, for a table."""
    return f"{statistics.fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else ""


def spread(*several: Sequence[float]) -> float:
    """How far apart the seeds of one of several points lie at most: means that differ by less decide nothing."""
    return max(max(values) - min(values) for values in several)
