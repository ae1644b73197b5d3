"""Does the flatbuffer compute what the Keras model computes? In the runtime that ships, with derived bounds."""

from __future__ import annotations

from tfkit.converters.parity.compare import compare
from tfkit.converters.parity.result import Parity

__all__ = ["Parity", "compare"]
