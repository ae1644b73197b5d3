"""Names and paths that stand for data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import images
from tfkit._errors import DataError, UsageError
from tfkit.data import DATASETS, load


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digits:3", "'digits' takes nothing behind a colon; got '3'"),
        ("image:somewhere", "unknown data set 'image'; did you mean 'images'"),
        ("cifar:somewhere", "unknown data set 'cifar'; did you mean 'cifar10'"),
        ("cifar100:", "'cifar100' needs a folder: cifar100:DIR"),
        ("shapes:hard", "shapes:hard has no number behind the colon; for example shapes:0.5"),
        ("shapes:", "no number behind the colon"),
        ("shapes:1.5", r"difficulty of shapes is 1.5; give a number from 0 \(easy\) to 1"),
        ("shapes:nan", "difficulty of shapes is nan"),
        ("", "unknown data set ''"),
    ],
)
def test_names_that_do_not_fit(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(name)


def test_every_data_set_says_how_it_is_written() -> None:
    for name, spec in DATASETS.items():
        assert spec.usage.startswith(name)
        assert spec.summary


def write(path: Path, **arrays: Any) -> str:
    np.savez(path / "data.npz", **arrays)
    return str(path / "data.npz")


def test_npz_without_a_split(tmp_path: Path) -> None:
    x = np.arange(50 * 12, dtype=np.float32).reshape(50, 2, 2, 3)
    found = load(write(tmp_path, x=x, y=np.arange(50, dtype=np.uint8) % 7))
    assert (found.size("train"), found.size("test"), found.classes) == (40, 10, 7)
    both = np.concatenate([found.x_train, found.x_test])
    labels = np.concatenate([found.y_train, found.y_test])
    order = np.argsort(both[:, 0, 0, 0])
    np.testing.assert_array_equal(both[order], x)
    np.testing.assert_array_equal(labels[order], np.arange(50) % 7)
    np.testing.assert_array_equal(load(str(tmp_path / "data.npz")).x_test, found.x_test)


def test_npz_with_a_split(tmp_path: Path) -> None:
    x, y = np.zeros((4, 8, 8, 1)), np.arange(4)
    found = load(write(tmp_path, x_train=x, y_train=y, x_test=x[:3] + 1, y_test=y[:3] + 2))
    assert (found.size("train"), found.size("test"), found.classes) == (4, 3, 5)
    assert found.x_test.max() == 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((4, 2))}, "holds x; to train on, it needs x and y, or x_train"),
        ({"x": np.zeros((4, 2)), "y": np.zeros(3, int)}, r"x has shape \(4, 2\), y shape \(3,\)"),
        ({"x": np.zeros((4, 2)), "y": np.zeros(4)}, "type float64; one sample and one integer"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0, int)}, "at least one row"),
        ({"x": np.zeros((2, 2)), "y": np.zeros(2, int)}, "at least one row in each split"),
        ({"x": np.zeros((9, 2)), "y": np.full(9, -1)}, "goes from -1 to -1; class numbers count up from 0"),
        ({"x": np.zeros((9, 2)), "y": np.full(9, 10**9)}, "goes from 1000000000"),
        ({"x": np.full((9, 2), np.nan), "y": np.zeros(9, int)}, "holds NaN"),
        ({"x": np.full((9, 2), "a"), "y": np.zeros(9, int)}, "has type <U1; numbers"),
    ],
)
def test_npz_that_is_no_data_set(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, **arrays))


def test_folders_need_a_prefix(tmp_path: Path) -> None:
    images.folder(tmp_path / "pictures", {"a": 2, "b": 2})
    with pytest.raises(DataError, match=r"pictures is a folder; say what it holds: images:.*pictures"):
        load(str(tmp_path / "pictures"))
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").touch()
    with pytest.raises(DataError, match=r"say what it holds: cifar10:"):
        load(str(tmp_path))
    with pytest.raises(DataError, match=r"no data file .*nowhere.npz"):
        load(str(tmp_path / "nowhere.npz"))
