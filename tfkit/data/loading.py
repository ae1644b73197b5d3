"""Open a data set by what the user wrote: a name, or the path of an .npz file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfkit._errors import DataError
from tfkit.data._npz import read_npz
from tfkit.data._types import Dataset
from tfkit.data.named import DATASETS, Shape

TEST_SHARE = 0.2  # of an .npz file without a split
SPLIT_SEED = 0
SPLIT_NAMES = ("x_train", "y_train", "x_test", "y_test")


def load(name: str, shape: Shape | None = None) -> Dataset:
    """Load a named data set, or labelled images from an .npz file.

    An .npz file holds ``x`` (sample, height, width, channel) and ``y`` (sample,), of which a fifth becomes the test
    split by a fixed seed; or ``x_train``, ``y_train``, ``x_test``, ``y_test``.

    Args:
        name: as in ``DatasetSpec.usage``; or a path.
        shape: (height, width, channels) that a model takes. Image folders are resized to it; data sets whose
            images have a size keep theirs.

    Raises:
        UsageError: an unknown name, with near matches; something missing or too much behind the colon.
        DataError: files that are missing, damaged or something else.
    """
    head, colon, argument = name.partition(":")
    if head not in DATASETS and (name.endswith(".npz") or os.path.exists(name)):
        return _from_npz(Path(name))
    return DATASETS[head].open(argument if colon else None, shape)


def _from_npz(path: Path) -> Dataset:
    arrays = read_npz(path)
    if set(SPLIT_NAMES) <= set(arrays):
        x_train, y_train, x_test, y_test = (arrays[name] for name in SPLIT_NAMES)
    elif {"x", "y"} <= set(arrays):
        x, y = arrays["x"], arrays["y"]
        _check(path, x, y, "x", "y")
        order = np.random.default_rng(SPLIT_SEED).permutation(len(y))
        test, train = np.split(order, [round(TEST_SHARE * len(y))])
        x_train, y_train, x_test, y_test = x[train], y[train], x[test], y[test]
    else:
        raise DataError(
            f"{path} holds {', '.join(arrays) or 'nothing'}; to train on, it needs x and y, or {', '.join(SPLIT_NAMES)}"
        )
    _check(path, x_train, y_train, "x_train", "y_train")
    _check(path, x_test, y_test, "x_test", "y_test")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(f"{path}: training samples have shape {x_train.shape[1:]}, test samples {x_test.shape[1:]}")
    classes = 1 + int(max(y_train.max(), y_test.max()))
    return Dataset(x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64), classes)


def _check(path: Path, x: np.ndarray, y: np.ndarray, x_name: str, y_name: str) -> None:
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer) or x.ndim < 2 or len(x) != len(y) or not len(y):
        raise DataError(
            f"{path}: {x_name} has shape {x.shape}, {y_name} shape {y.shape} and type {y.dtype}; "
            "one sample and one integer class number per row are expected, and at least one row in each split"
        )
    if not (np.issubdtype(x.dtype, np.number) or x.dtype == np.bool_) or np.iscomplexobj(x):
        raise DataError(f"{path}: {x_name} has type {x.dtype}; numbers are expected")
    if np.issubdtype(x.dtype, np.floating) and not np.isfinite(x).all():
        raise DataError(f"{path}: {x_name} holds NaN or infinity")
    if y.min() < 0 or y.max() > max(1000, len(y)):
        raise DataError(f"{path}: {y_name} goes from {y.min()} to {y.max()}; class numbers count up from 0")


def of_split(arrays: Mapping[str, np.ndarray], split: str) -> Mapping[str, np.ndarray]:
    """One split of a file that has two, as ``x`` and ``y``; any other file as it is."""
    if not set(SPLIT_NAMES) <= set(arrays):
        return arrays
    others = {name: array for name, array in arrays.items() if name not in SPLIT_NAMES}
    return {**others, "x": arrays[f"x_{split}"], "y": arrays[f"y_{split}"]}
