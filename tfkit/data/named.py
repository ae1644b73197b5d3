"""The named data sets: ``name``, ``name:FOLDER`` or ``name:NUMBER``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tfkit._errors import UsageError
from tfkit._registry import Registry
from tfkit.data._types import Dataset
from tfkit.data.cifar import cifar10, cifar100, cifar100_coarse
from tfkit.data.digits import digits
from tfkit.data.image_folder import DEFAULT_SHAPE, ImageFolder
from tfkit.data.shapes import DEFAULT_DIFFICULTY, read_difficulty, shapes

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


def _no_argument(name: str, argument: str | None) -> None:
    if argument is not None:
        raise UsageError(f"data set {name!r} takes nothing behind a colon; got {argument!r}")


def _folder(name: str, argument: str | None) -> str:
    if not argument:
        raise UsageError(f"data set {name!r} needs a folder: {name}:DIR")
    return argument


def _digits(argument: str | None, shape: Shape | None) -> Dataset:
    _no_argument("digits", argument)
    return digits()


def _images(argument: str | None, shape: Shape | None) -> Dataset:
    return ImageFolder(_folder("images", argument), shape or DEFAULT_SHAPE)


def _shapes(argument: str | None, shape: Shape | None) -> Dataset:
    return shapes(DEFAULT_DIFFICULTY if argument is None else read_difficulty(argument))


def _in_folder(name: str, read: Callable[[str], Dataset]) -> Callable[[str | None, Shape | None], Dataset]:
    return lambda argument, shape: read(_folder(name, argument))


for _name, _usage, _summary, _open in (
    ("digits", "digits", "8x8 handwritten digits, part of scikit-learn", _digits),
    ("shapes", "shapes[:DIFFICULTY]", "generated 32x32 colour images of textured shapes, difficulty 0 to 1", _shapes),
    ("cifar10", "cifar10:DIR", "CIFAR-10, binary or Python version", _in_folder("cifar10", cifar10)),
    ("cifar100", "cifar100:DIR", "CIFAR-100 with 100 fine labels", _in_folder("cifar100", cifar100)),
    ("cifar100-coarse", "cifar100-coarse:DIR", "CIFAR-100 with 20 coarse labels",
     _in_folder("cifar100-coarse", cifar100_coarse)),
    ("images", "images:DIR", "DIR/CLASS/IMAGE, or DIR/train/CLASS/IMAGE and DIR/test/CLASS/IMAGE", _images),
):  # fmt: skip
    DATASETS.add(_name, DatasetSpec(_usage, _summary, _open))
