"""The named data sets: ``name``, ``name:FOLDER`` or ``name:NUMBER``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tfkit._errors import UsageError
from tfkit._registry import Registry
from tfkit.data._types import Dataset
from tfkit.data.digits import digits

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class DatasetSpec:
    """What the registry knows about a data set.

    Attributes:
        usage: how it is written, for example ``cifar10:DIR``.
        summary: one line.
        open: (what stands behind the colon or None, the image shape that is wanted or None) -> the data set.
    """

    usage: str
    summary: str
    open: Callable[[str | None, Shape | None], Dataset]


DATASETS: Registry[DatasetSpec] = Registry("data set")


def _plain(name: str, make: Callable[[], Dataset]) -> Callable[[str | None, Shape | None], Dataset]:
    def open_(argument: str | None, shape: Shape | None) -> Dataset:
        if argument is not None:
            raise UsageError(f"data set {name!r} takes nothing behind a colon; got {argument!r}")
        return make()

    return open_


DATASETS.add("digits", DatasetSpec("digits", "8x8 handwritten digits, part of scikit-learn", _plain("digits", digits)))


def load(name: str, shape: Shape | None = None) -> Dataset:
    """Load a named data set.

    Args:
        name: as in ``DatasetSpec.usage``.
        shape: (height, width, channels) that a model takes. Image folders are resized to it; data sets whose
            images have a size keep theirs.

    Raises:
        UsageError: an unknown name, with near matches; something missing or too much behind the colon.
        DataError: files that are missing, damaged or something else.
    """
    head, colon, argument = name.partition(":")
    return DATASETS[head].open(argument if colon else None, shape)
