"""What the tables of a spec may hold: keys with the values that they accept, and words for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

MAX_GRID = 100  # values in one list


@dataclass(frozen=True)
class Key:
    """One key of a table.

    Attributes:
        accepted: in words, for messages.
        example: a value as it is written.
        fits: whether a single value is accepted.
        default: without the key.
        grid: whether a list may stand for it, each value in turn.
        known: the names that are accepted, for near matches.
    """

    accepted: str
    example: str
    fits: Callable[[Any], bool]
    default: Any = None
    grid: bool = False
    known: tuple[str, ...] = ()


def choice(names: Iterable[str], default: Any = None, grid: bool = False) -> Key:
    """One of some names."""
    known = tuple(names)
    return Key("one of " + ", ".join(known), f'"{known[0]}"', lambda value: value in known, default, grid, known)


def text(accepted: str, example: str, default: Any = None, grid: bool = False) -> Key:
    """Any text but an empty one."""
    return Key(accepted, f'"{example}"', lambda value: isinstance(value, str) and bool(value.strip()), default, grid)


def whole(low: int, high: int, example: int, default: Any = None, grid: bool = False) -> Key:
    """A whole number."""

    def fits(value: Any) -> bool:
        return type(value) is int and low <= value <= high  # True is an int in Python, and no number here

    return Key(f"a whole number from {low} to {high}", str(example), fits, default, grid)


def number(low: float, high: float, example: float, default: Any = None, grid: bool = False, ends: str = "") -> Key:
    """A number strictly between two others, or including those named in ``ends``: "low", "high", "low high"."""

    def fits(value: Any) -> bool:
        if type(value) not in (int, float):
            return False
        return low < value < high or ("low" in ends and value == low) or ("high" in ends and value == high)

    lowest = f"from {low:g}" if "low" in ends else f"above {low:g}"
    highest = f"up to {high:g}" if "high" in ends else f"below {high:g}"
    return Key(f"a number {lowest} {highest}", f"{example:g}", fits, default, grid)


def flag(default: bool | None) -> Key:
    """true or false."""
    return Key("true or false", "true", lambda value: type(value) is bool, default)
