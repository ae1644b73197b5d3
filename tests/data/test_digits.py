from __future__ import annotations

import numpy as np
import pytest

from tfkit import data
from tfkit._errors import UsageError


def test_digits_are_raw_and_split_the_same_way_every_time() -> None:
    found = data.load("digits")
    assert found.x_train.shape == (1347, 8, 8, 1)
    assert found.x_test.shape == (450, 8, 8, 1)
    assert found.classes == 10
    assert (found.x_train.min(), found.x_train.max()) == (0, 16)
    assert found.y_test[:8].tolist() == data.load("digits").y_test[:8].tolist()
    # Stratified: each class has its share of the test set.
    shares = np.bincount(found.y_test) / np.bincount(np.concatenate([found.y_train, found.y_test]))
    np.testing.assert_allclose(shares, 0.25, atol=0.01)


def test_nobody_can_write_into_the_shared_arrays() -> None:
    with pytest.raises(ValueError, match="read-only"):
        data.load("digits").x_train[0] = 1


def test_unknown_names_get_near_matches() -> None:
    with pytest.raises(UsageError, match="unknown data set 'digit'; did you mean 'digits'"):
        data.load("digit")
