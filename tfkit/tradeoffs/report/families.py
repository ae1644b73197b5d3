"""What precision a point stands for: binary and few-bit points are to be judged beside int8 ones."""

from __future__ import annotations

import re
from typing import Literal

from tfkit.tradeoffs.report.artifacts import Document, mapping, objects, part

Family = Literal["binary", "few-bit", "int8", "float"]

# For points without a ledger.
_WORDS: tuple[tuple[Family, re.Pattern[str]], ...] = (
    ("binary", re.compile(r"\bbinary|\bbnn\b|\bxnor", re.IGNORECASE)),
    ("few-bit", re.compile(r"\bW[1-8]A\d|_[wa][1-8]\b|\bternary|\bfew.?bit|\blow.?bit", re.IGNORECASE)),
    ("int8", re.compile(r"\bint8", re.IGNORECASE)),
)


def family(series: str, ledger: Document) -> Family:
    """By what the ledger says that layers were declared, else by the name of the series.

    One binary layer makes a network binary, though the others are int8: that is what such networks look like. Int8
    weights alone, which compute in float, make no int8 baseline.
    """
    entries = objects(mapping(part(ledger, "ledger")).get("entries"))
    if not entries:
        return next((name for name, words in _WORDS if words.search(series)), "float")
    declared = {str(entry.get("declared")) for entry in entries}
    if "binary" in declared:
        return "binary"
    if "few-bit" in declared:
        return "few-bit"
    computes = any(entry.get("declared") == "int8" and entry.get("precision") == "int8" for entry in entries)
    return "int8" if computes else "float"
