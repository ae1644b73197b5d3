"""Folders of images, one folder per class, read while they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfkit._errors import DataError, UsageError
from tfkit._units import format_bytes
from tfkit.data import _boxes
from tfkit.data._folders import Files, list_flat, list_folder, shown
from tfkit.data._headers import Header, read_header
from tfkit.data._types import Augmentation, Dataset, check_batch_size, check_split

DEFAULT_SHAPE = (224, 224, 3)
SMALL = 64  # pixels of the network's input up to which images are shifted by a few pixels instead of cropped
MAX_BYTES = 2 << 30  # of one split in memory
_READ_BATCH = 64
_NAMED = 5  # broken files in a message


@dataclass(frozen=True)
class _Split:
    """Files with what their headers say."""

    files: Files
    kinds: np.ndarray
    sizes: np.ndarray


class ImageFolder(Dataset):
    """The images of ``folder/train/CLASS`` and ``folder/test/CLASS``, resized to ``shape``.

    ``val`` or ``validation`` may stand for ``test``; without such a folder, and for ``folder/CLASS``, each class gives
    a fifth of its images to the test split, by a fixed seed. Files are JPEG, PNG, BMP or GIF (first frame), at any
    depth; hidden ones are ignored. Grey images become RGB, or RGB grey where ``shape`` has one channel; transparency
    is dropped and a camera's orientation mark is not followed.

    Evaluation sees the centre: 87.5% of the sides for networks with more than 64x64 pixels (as 224 of 256 on
    ImageNet), everything that fits the shape for smaller ones. Training with ``augment`` sees random crops, resized
    and mirrored, or for smaller networks images shifted by up to an eighth and mirrored.

    Values are rounded to whole numbers, 0 to 255. ``x_train`` and ``x_test`` read all images into memory;
    ``batches`` does not.

    Raises:
        UsageError: a shape of other than 1 or 3 channels.
        DataError: no such folder, classes that do not fit, files that are broken, foreign or absurdly large.
    """

    folder: Path
    _shape: tuple[int, int, int]
    _splits: dict[str, _Split]

    def __init__(self, folder: str | os.PathLike[str], shape: tuple[int, int, int] = DEFAULT_SHAPE) -> None:
        listing = list_folder(Path(folder))
        _check_shape(shape)
        change = Augmentation(pad=max(1, min(shape[:2]) // 8), flip=True)
        # A frozen dataclass is filled like this; its arrays are properties here.
        vars(self).update(
            folder=Path(folder),
            _shape=shape,
            _splits=_inspect(listing.splits),
            classes=len(listing.class_names),
            class_names=listing.class_names,
            augmentation=change,
        )

    def __repr__(self) -> str:
        return f"ImageFolder({str(self.folder)!r}, {self._shape})"

    @property
    def in_memory(self) -> bool:
        """No: files are read when their images are asked for."""
        return False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image as it is handed over: (height, width, channel)."""
        return self._shape

    @property
    def x_train(self) -> np.ndarray:
        """All training images, uint8; raises ``DataError`` when they would take more than 2 GiB."""
        return self.arrays("train")[0]

    @property
    def y_train(self) -> np.ndarray:
        """Class numbers of the training images."""
        return self._splits["train"].files.labels

    @property
    def x_test(self) -> np.ndarray:
        """All test images, uint8; raises ``DataError`` when they would take more than 2 GiB."""
        return self.arrays("test")[0]

    @property
    def y_test(self) -> np.ndarray:
        """Class numbers of the test images."""
        return self._splits["test"].files.labels

    def arrays(self, split: str, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """As ``Dataset.arrays``, uint8; files stand in a fixed random order, so that a beginning represents all."""
        found = self._splits[check_split(split)]
        count = len(range(len(found.files.paths))[:limit])
        return _read(found, count, self._shape), found.files.labels[:count]

    def batches(
        self,
        split: str,
        batch_size: int,
        *,
        seed: int = 0,
        epoch: int = 0,
        augment: bool = False,
        drop_remainder: bool = False,
    ) -> Any:
        """As ``Dataset.batches``."""
        found = self._splits[check_split(split)]
        check_batch_size(batch_size)
        from tfkit.data import _pipeline  # imports TensorFlow

        draws = _pipeline.Draws(seed, epoch, self.size(split))
        order = draws.order() if split == "train" else np.arange(self.size(split))
        boxes, change = _centre(found.sizes, self._shape), None
        if augment and split == "train":
            if _is_small(self._shape):
                assert self.augmentation is not None
                change = _pipeline.windows(self.augmentation, draws)
            else:
                boxes = _boxes.at_random(found.sizes, self._shape[1] / self._shape[0], draws.boxes())
                change = _pipeline.mirrors(draws)
        return _pipeline.file_batches(
            found.files.paths, found.files.labels, found.kinds, boxes, self._shape, order, batch_size, drop_remainder,
            change,
        )  # fmt: skip

    @contextmanager
    def naming_errors(self) -> Iterator[None]:
        """As ``Dataset.naming_errors``: reads the files again, one by one, until one of them fails."""
        with _naming(self._splits.values(), self._shape):
            yield


def unlabelled_images(folder: str | os.PathLike[str], shape: tuple[int, int, int], limit: int) -> np.ndarray | None:
    """At most ``limit`` images that lie directly in ``folder``, as for evaluation; None where it has class folders.

    Raises:
        UsageError, DataError: as ``ImageFolder``.
    """
    _check_shape(shape)
    paths = list_flat(Path(folder))[:limit]
    if not paths:
        return None
    found = _inspect({"test": Files(paths, np.zeros(len(paths), np.int64))})["test"]
    return _read(found, len(paths), shape)


def _check_shape(shape: tuple[int, int, int]) -> None:
    if len(shape) != 3 or shape[2] not in (1, 3) or min(shape) < 1:
        raise UsageError(
            f"images cannot be read as {'x'.join(map(str, shape))}; height x width x channels, with 3 channels (RGB) "
            "or 1 (grey)"
        )


def _is_small(shape: tuple[int, int, int]) -> bool:
    return max(shape[:2]) <= SMALL


def _centre(sizes: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    return _boxes.centred(sizes, shape[1] / shape[0], 1.0 if _is_small(shape) else _boxes.CENTRE)


def _inspect(splits: dict[str, Files]) -> dict[str, _Split]:
    """Read all headers, and complain about all broken files at once."""
    broken: list[str] = []
    found = {}
    for name, files in splits.items():
        headers: list[Header] = []
        for path in files.paths:
            try:
                headers.append(read_header(path))
            except ValueError as error:
                broken.append(f"{shown(path)}: {error}")
        kinds = np.array([header.kind for header in headers], np.int32)
        sizes = np.array([(header.height, header.width) for header in headers], np.int32).reshape(-1, 2)
        found[name] = _Split(files, kinds, sizes)
    if broken:
        total = sum(len(files.paths) for files in splits.values())
        more = f"\n  and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
        raise DataError(
            f"{len(broken)} of {total} images cannot be used; remove or replace them:\n  "
            + "\n  ".join(broken[:_NAMED])
            + more
        )
    return found


def _read(split: _Split, count: int, shape: tuple[int, int, int]) -> np.ndarray:
    needed = count * int(np.prod(shape))
    if needed > MAX_BYTES:
        raise DataError(
            f"{count} images of {'x'.join(map(str, shape))} take {format_bytes(needed)} of memory; "
            "ask for fewer (limit), or read them in batches"
        )
    images = np.empty((count, *shape), np.uint8)
    start = 0
    with _naming([split], shape):
        for batch, _ in _evaluated(split, np.arange(count), shape):
            images[start : start + len(batch)] = batch.numpy()
            start += len(batch)
    return images


def _evaluated(split: _Split, order: np.ndarray, shape: tuple[int, int, int]) -> Any:
    from tfkit.data import _pipeline  # imports TensorFlow

    boxes = _centre(split.sizes, shape)
    return _pipeline.file_batches(
        split.files.paths, split.files.labels, split.kinds, boxes, shape, order, _READ_BATCH, False, None
    )


@contextmanager
def _naming(splits: Iterable[_Split], shape: tuple[int, int, int]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        from tfkit.data._pipeline import is_tensorflow_error

        if not is_tensorflow_error(error):
            raise
        path = _first_broken(splits, shape)
        if path is None:
            raise
        raise DataError(
            f"{shown(path)} cannot be decoded: it is damaged, or changed while it was in use; remove or replace it"
        ) from error


def _first_broken(splits: Iterable[_Split], shape: tuple[int, int, int]) -> bytes | None:
    from tfkit.data import _pipeline

    for split in splits:
        for path, kind, box in zip(split.files.paths, split.kinds, _centre(split.sizes, shape), strict=True):
            if not _pipeline.can_read(path, kind, box, shape):
                return path
    return None
