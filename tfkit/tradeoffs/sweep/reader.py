"""Reads tables of a TOML text by their keys; whatever is wrong is said with its line, what is accepted, and the fix."""

from __future__ import annotations

import difflib
import itertools
import math
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from tfkit._errors import InputError, UsageError
from tfkit.tradeoffs.sweep import positions
from tfkit.tradeoffs.sweep.keys import MAX_GRID, Key
from tfkit.tradeoffs.sweep.positions import Positions

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 1 << 18
MAX_COMBINATIONS = 10_000  # of one table
Table = Mapping[str, Key]


class SpecError(UsageError):
    """A spec that cannot be swept; names the line, what stands there, what is accepted, and the fix."""


class Reader:
    """One spec. ``where`` names it in messages."""

    def __init__(self, text: str, where: str = "the spec") -> None:
        self._where = where
        try:
            self.document: Mapping[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise SpecError(f"{where} is no TOML: {error}; https://toml.io shows how it is written") from error
        self._positions = Positions(text)

    @classmethod
    def of_file(cls, path: str | os.PathLike[str]) -> Reader:
        """Raises ``InputError`` when there is no such file, or it is no text."""
        try:
            with Path(path).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}; give a TOML file") from error
        if len(content) > MAX_BYTES:
            raise SpecError(f"{path} has more than {MAX_BYTES >> 10} KiB; a spec is a page of TOML")
        try:
            return cls(content.decode(), str(path))
        except UnicodeDecodeError as error:
            raise SpecError(f"{path} is no text in UTF-8 ({error.reason}); give a TOML file") from error

    def refuse(self, path: positions.Path, message: str) -> NoReturn:
        """Raise ``SpecError`` for what stands at ``path``."""
        raise SpecError(f"{self._where}, line {self._positions.line(path)}: {message}")

    def tables(self, known: Mapping[str, bool]) -> None:
        """Refuse what is none of the ``known`` tables: name -> whether it may be repeated, ``[[name]]``."""
        for name, value in self.document.items():
            if name not in known:
                shown = ", ".join(f"[[{n}]]" if many else f"[{n}]" for n, many in known.items())
                self.refuse((name,), f"there is no table {name!r}{_near(name, known)}; the tables are {shown}")
            many = known[name]
            if many and (not isinstance(value, list) or not all(isinstance(part, dict) for part in value)):
                self.refuse((name,), f"{name} is to be a table that may be repeated; write [[{name}]]")
            if not many and not isinstance(value, dict):
                self.refuse((name,), f"{name} is to be one table; write [{name}]")

    def one(self, path: positions.Path, given: Mapping[str, Any], keys: Table) -> dict[str, Any]:
        """The values of a table without grids, defaults filled in."""
        self._check(path, given, keys)
        return {name: given.get(name, key.default) for name, key in keys.items()}

    def grid(self, path: positions.Path, given: Mapping[str, Any], keys: Table) -> Iterator[dict[str, Any]]:
        """All combinations of a table's lists, the last list turning fastest."""
        self._check(path, given, keys)
        lists = {name: value for name, value in given.items() if keys[name].grid and isinstance(value, list)}
        combinations = math.prod(map(len, lists.values()))
        if combinations > MAX_COMBINATIONS:
            self.refuse(path, f"its lists have {combinations} combinations; sweep at most {MAX_COMBINATIONS} at once")
        defaults = {name: key.default for name, key in keys.items()}
        for values in itertools.product(*lists.values()):
            yield {**defaults, **given, **dict(zip(lists, values, strict=True))}

    def _check(self, path: positions.Path, given: Mapping[str, Any], keys: Table) -> None:
        table = _header(path)
        for name, value in given.items():
            place = (*path, name)
            if name not in keys:
                self.refuse(place, f"{table} has no key {name!r}{_near(name, keys)}; it has {', '.join(keys)}")
            key = keys[name]
            if key.grid and isinstance(value, list):
                if not value or len(value) > MAX_GRID:
                    self.refuse(place, f"{name} is a list of {len(value)}; give 1 to {MAX_GRID} values, or one alone")
                if len({repr(part) for part in value}) != len(value):
                    self.refuse(place, f"{name} lists a value twice: {_shown(value)}; give each once")
                for part in value:
                    self._accept(place, key, part)
            else:
                self._accept(place, key, value)

    def _accept(self, place: positions.Path, key: Key, value: Any) -> None:
        if key.fits(value):
            return
        near = _near(value, dict.fromkeys(key.known)) if isinstance(value, str) else ""
        many = ", or a list of such" if key.grid else ""
        self.refuse(
            place,
            f"{place[-1]} is {_shown(value)}{near}; accepted is {key.accepted}{many}: "
            f"write {place[-1]} = {key.example}",
        )


def _header(path: positions.Path) -> str:
    return f"[[{path[0]}]]" if len(path) > 1 else f"[{path[0]}]"


def _near(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=2)
    return f" (did you mean {' or '.join(repr(n) for n in near)}?)" if near else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
