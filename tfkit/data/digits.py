"""Handwritten digits: the 1797 8x8 images that scikit-learn ships."""

from __future__ import annotations

import functools

import numpy as np

from tfkit.data._types import Augmentation, Dataset

TEST_SHARE = 0.25
SPLIT_SEED = 0


@functools.cache
def digits() -> Dataset:
    """1347 training and 450 test images, (sample, 8, 8, 1), float32 grey levels 0 to 16; the split is fixed.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998, https://doi.org/10.24432/C50P49.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    found = load_digits()
    images = found.images[..., np.newaxis].astype(np.float32)
    x_train, x_test, y_train, y_test = train_test_split(
        images, found.target.astype(np.int64), test_size=TEST_SHARE, random_state=SPLIT_SEED, stratify=found.target
    )
    for array in (x_train, x_test, y_train, y_test):
        array.flags.writeable = False  # the cache hands the same arrays to every caller
    return Dataset(x_train, y_train, x_test, y_test, classes=10, augmentation=Augmentation(pad=1, flip=False))
