"""A name -> object table that refuses duplicates and answers unknown names helpfully."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from tfkit._errors import UsageError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Named objects of one kind, in order of registration.

    >>> colours = Registry("colour")
    >>> colours.add("red", 1)
    >>> colours["red"]
    1
    >>> colours["rad"]
    Traceback (most recent call last):
        ...
    tfkit._errors.UsageError: unknown colour 'rad'; did you mean 'red'? Known: red
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._entries: dict[str, T] = {}

    def add(self, name: str, value: T) -> None:
        """Register ``value``; raises ``ValueError`` when the name is taken."""
        if name in self._entries:
            raise ValueError(f"{self._kind} {name!r} is registered twice")
        self._entries[name] = value

    def __getitem__(self, name: str) -> T:
        if name not in self._entries:
            raise UsageError(unknown_name(self._kind, name, self._entries))
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries


def unknown_name(kind: str, name: str, known: Mapping[str, object]) -> str:
    """One sentence for a name that is not in ``known``, with near matches first."""
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else "."
    return f"unknown {kind} {name!r}{hint} Known: {', '.join(known)}"
