"""The shapes data comes in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tfkit._errors import UsageError

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Augmentation:
    """Random shifts and mirror images of training images.

    ``pad`` zeros are added on each side and a window of the old size is cut out at random; ``flip`` mirrors every
    second image left to right. The defaults are CIFAR's usual ones (He et al., "Deep Residual Learning for Image
    Recognition", https://arxiv.org/abs/1512.03385, section 4.2).
    """

    pad: int = 4
    flip: bool = True


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled data set with a fixed split, in memory; images are raw, (sample, height, width, channel).

    Colour images have values 0 to 255. Subclasses may read images when they are asked for.

    Attributes:
        x_train, y_train, x_test, y_test: images and class numbers.
        classes: number of classes; labels are 0 to classes - 1.
        class_names: one name per class; their numbers when none are given.
        augmentation: what ``batches(augment=True)`` does to training images; nothing when None.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: int
    class_names: tuple[str, ...] = ()
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        if not self.class_names:
            object.__setattr__(self, "class_names", tuple(str(number) for number in range(self.classes)))

    @property
    def in_memory(self) -> bool:
        """Whether all images are at hand, so that asking for all of them costs nothing."""
        return True

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image: (height, width, channel)."""
        return self.x_train.shape[1:]

    def size(self, split: str) -> int:
        """The number of images in ``"train"`` or ``"test"``; raises ``UsageError`` for another split."""
        return len(self.y_train if check_split(split) == "train" else self.y_test)

    def arrays(self, split: str, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The first ``limit`` images (sample, height, width, channel) and class numbers (sample,) of a split.

        Raises:
            UsageError: an unknown split.
            DataError: images that cannot be read, or would not fit into memory.
        """
        x, y = (self.x_train, self.y_train) if check_split(split) == "train" else (self.x_test, self.y_test)
        return x[:limit], y[:limit]

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
        """One pass over a split: a ``tf.data.Dataset`` of (images, labels).

        Images are raw, float32 (batch, height, width, channel); labels int64 (batch,). The training split comes in an
        order that ``seed`` and ``epoch`` decide, the test split in its own. The same ``seed`` and ``epoch`` give the
        same bits, whatever was drawn before and however many threads work.

        Args:
            split: ``"train"`` or ``"test"``.
            batch_size: images per batch.
            seed: of order and augmentation.
            epoch: number of this pass, from 0.
            augment: change training images at random, as suits the data.
            drop_remainder: leave out a last batch that is not full.

        Raises:
            UsageError: an unknown split; a batch size below 1.
        """
        check_split(split)
        check_batch_size(batch_size)
        from tfkit.data._pipeline import Draws, memory_batches  # imports TensorFlow

        x, y = self._tensors[split]
        draws = Draws(seed, epoch, self.size(split))
        change = self.augmentation if augment and split == "train" else None
        order = draws.order() if split == "train" else np.arange(self.size(split))
        return memory_batches(x, y, order, batch_size, drop_remainder, change, draws)

    @contextmanager
    def naming_errors(self) -> Iterator[None]:
        """Around code that iterates over ``batches``: failures of TensorFlow become errors that name the file.

        Raises:
            DataError: an image file that cannot be decoded, by name.
        """
        yield

    @cached_property
    def _tensors(self) -> Mapping[str, tuple[Any, Any]]:
        """TensorFlow's copies, made once and not once an epoch."""
        from tfkit.data._pipeline import on_cpu

        return {
            "train": on_cpu(self.x_train, self.y_train),
            "test": on_cpu(self.x_test, self.y_test),
        }


def check_split(split: str) -> str:
    """``split`` when it is one; raises ``UsageError`` otherwise."""
    if split not in SPLITS:
        raise UsageError(f"unknown split {split!r}; a data set has {' and '.join(map(repr, SPLITS))}")
    return split


def check_batch_size(batch_size: int) -> None:
    """Raise ``UsageError`` for a batch without images."""
    if batch_size < 1:
        raise UsageError(f"the batch size is {batch_size}; give a positive number of images")


@dataclass(frozen=True)
class InputSpec:
    """What one model input takes: ``shape`` without the batch axis, None where any size will do."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype | type | str = "float32"


@dataclass(frozen=True)
class Samples:
    """Arrays by input name, all with the same first axis, and labels when there are any."""

    inputs: Mapping[str, np.ndarray]
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))
