"""The named data sets: name -> a function that returns a ``Dataset``."""

from __future__ import annotations

from collections.abc import Callable

from tfkit._registry import Registry
from tfkit.data._types import Dataset
from tfkit.data.digits import digits

DATASETS: Registry[Callable[[], Dataset]] = Registry("data set")
DATASETS.add("digits", digits)


def load(name: str) -> Dataset:
    """Load a named data set; raises ``UsageError`` with near matches for an unknown name."""
    return DATASETS[name]()
