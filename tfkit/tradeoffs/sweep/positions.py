"""Where in a TOML text each key stands. ``tomllib`` gives lines for syntax errors only, and tomlkit for nothing.

Every statement of TOML - a header, or a key with its value - is a document by itself. So the text is cut where what
has been read since the last cut parses, and ``tomllib`` says what the statement is: no grammar is repeated here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LONGEST = 200  # lines of one statement: each line parses it anew, and no sensible spec has so long a list

Path = tuple[str | int, ...]  # ("model", 1, "width") is the key width of the second [[model]]


class Positions:
    """Lines, from 1, of the tables and keys in ``text``, which must be sound TOML."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        counts: dict[Path, int] = {}
        table: Path = ()
        for line, statement in _statements(text):
            names, value = _only(tomllib.loads(statement))
            if not statement.lstrip().startswith("["):
                for length in range(1, len(names) + 1):
                    self._lines.setdefault((*table, *names[:length]), line)
                continue
            table = _resolved(names, counts)
            if isinstance(value, list):
                self._lines.setdefault(table, line)
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            self._lines.setdefault(table, line)

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the closest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return 1


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each; comments and blank lines are none."""
    waiting: list[str] = []
    start = 1
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not waiting:
            start = number
        waiting.append(line)
        if len(waiting) > _LONGEST:
            return
        statement = "\n".join(waiting)
        try:
            found = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # goes on in the next line
        waiting.clear()
        if found:
            yield start, statement


def _only(document: Mapping[str, Any]) -> tuple[Path, Any]:
    """The one path that a statement sets, through dotted names, and its value."""
    names: list[str] = []
    value: Any = document
    while isinstance(value, dict) and len(value) == 1:
        name, value = next(iter(value.items()))
        names.append(name)
    return tuple(names), value


def _resolved(names: Path, counts: Mapping[Path, int]) -> Path:
    """A header's names with the number of the array element that each of them means: the latest."""
    found: Path = ()
    for number, name in enumerate(names):
        found = (*found, name)
        if number < len(names) - 1 and found in counts:
            found = (*found, counts[found])
    return found
