"""Keras models to flatbuffers, with an op ledger, a parity check and metadata. Imports no TensorFlow by itself."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if __name__ != "tfkit.converters":
    raise ImportError("this folder is the package tfkit.converters; import it by that name")

if TYPE_CHECKING:
    from tfkit.converters.conversion import Conversion
    from tfkit.converters.inspection import Inspection, inspect
    from tfkit.converters.ledger import Ledger
    from tfkit.converters.parity import Parity
    from tfkit.converters.passes.metadata import read_metadata
    from tfkit.converters.pipeline import convert, verify

__all__ = ["Conversion", "Inspection", "Ledger", "Parity", "convert", "inspect", "read_metadata", "verify"]

_HOME = {
    "Conversion": "tfkit.converters.conversion",
    "Inspection": "tfkit.converters.inspection",
    "Ledger": "tfkit.converters.ledger",
    "Parity": "tfkit.converters.parity",
    "convert": "tfkit.converters.pipeline",
    "inspect": "tfkit.converters.inspection",
    "read_metadata": "tfkit.converters.passes.metadata",
    "verify": "tfkit.converters.pipeline",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tfkit.converters' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
