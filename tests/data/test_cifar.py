"""CIFAR in the layouts that https://www.cs.toronto.edu/~kriz/cifar.html describes, whole and broken."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import cifar as files
from tfkit._errors import DataError, UsageError
from tfkit.data import load
from tfkit.data.cifar import cifar10, cifar100, cifar100_coarse


def as_image(row: np.ndarray) -> np.ndarray:
    """One record's pixels, written out again: value of channel c, row y, column x at c * 1024 + y * 32 + x."""
    image = np.empty((32, 32, 3), np.uint8)
    for c in range(3):
        for y in range(32):
            image[y, :, c] = row[c * 1024 + y * 32 : c * 1024 + y * 32 + 32]
    return image


@pytest.mark.parametrize(
    "write",
    [
        files.binary10,
        files.python10,
        lambda folder: files.python10(folder, protocol=2),
        lambda folder: files.python10(folder, protocol=4),
    ],
    ids=["binary", "python 2", "python 3, protocol 2", "python 3, protocol 4"],
)
def test_cifar10(write: Callable[[Path], Path], tmp_path: Path) -> None:
    found = cifar10(write(tmp_path / "any name"))
    assert (found.x_train.shape, found.x_train.dtype) == ((20, 32, 32, 3), np.uint8)
    assert found.y_train.tolist() == [0, 1, 2, 3] * 5
    assert found.y_test.dtype == np.int64
    assert (found.classes, found.class_names[3]) == (10, "class 3")
    for seed in range(5):
        np.testing.assert_array_equal(found.x_train[4 * seed + 2], as_image(files.pixels(seed, 4)[2]))
    np.testing.assert_array_equal(found.x_test[1], as_image(files.pixels(5, 4)[1]))


@pytest.mark.parametrize("write", [files.binary100, files.python100])
def test_cifar100_has_fine_and_coarse_labels(write: Callable[[Path], Path], tmp_path: Path) -> None:
    fine, coarse = cifar100(write(tmp_path)), cifar100_coarse(tmp_path)
    assert (fine.classes, fine.y_test.tolist(), len(fine.class_names)) == (100, [99, 98, 97, 96], 100)
    assert (coarse.classes, coarse.y_test.tolist(), len(coarse.class_names)) == (20, [0, 1, 2, 3], 20)
    np.testing.assert_array_equal(fine.x_train, coarse.x_train)
    np.testing.assert_array_equal(fine.x_test[3], as_image(files.pixels(1, 4)[3]))


@pytest.mark.parametrize(
    ("write", "folder", "name"),
    [
        (files.binary10, "cifar-10-batches-bin", "cifar10"),
        (files.python10, "cifar-10-batches-py", "cifar10"),
        (files.binary100, "cifar-100-binary", "cifar100"),
        (files.python100, "cifar-100-python", "cifar100-coarse"),
    ],
)
def test_published_folders_are_found(write: Any, folder: str, name: str, tmp_path: Path) -> None:
    write(tmp_path / folder)
    assert load(f"{name}:{tmp_path}").shape == (32, 32, 3)


def test_names_are_not_needed(tmp_path: Path) -> None:
    (files.binary10(tmp_path) / "batches.meta.txt").unlink()
    assert cifar10(tmp_path).class_names[:2] == ("0", "1")


def test_missing_files(tmp_path: Path) -> None:
    advice = r"expected are data_batch_1.bin, .*Get cifar-10-binary.tar.gz from the CIFAR page of the University"
    with pytest.raises(DataError, match=f"nowhere does not exist; {advice}"):
        cifar10(tmp_path / "nowhere")
    with pytest.raises(DataError, match=f"holds no CIFAR-10; {advice}"):
        cifar10(tmp_path)
    (tmp_path / "cifar-10-python.tar.gz").touch()
    with pytest.raises(DataError, match=r"cifar-10-python.tar.gz is there: unpack it \(tar xzf"):
        cifar10(tmp_path)
    files.binary10(tmp_path)
    (tmp_path / "data_batch_4.bin").unlink()
    with pytest.raises(DataError, match=r"lacks data_batch_4.bin of CIFAR-10; expected"):
        cifar10(tmp_path)
    with pytest.raises(UsageError, match="'cifar10' needs a folder: cifar10:DIR"):
        load("cifar10")


def test_the_other_data_set_is_named(tmp_path: Path) -> None:
    files.python100(tmp_path / "hundred")
    with pytest.raises(DataError, match=r"but the files of cifar100: use cifar100:.*hundred"):
        cifar10(tmp_path / "hundred")
    files.binary10(tmp_path / "ten")
    with pytest.raises(DataError, match=r"but the files of cifar10: use cifar10:.*ten"):
        cifar100(tmp_path / "ten")


def test_broken_binary_files(tmp_path: Path) -> None:
    path = files.binary10(tmp_path) / "data_batch_2.bin"
    whole = path.read_bytes()
    for content in (whole[:-1], b"", b"hello"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"data_batch_2.bin has {len(content)} bytes, not a whole number of rec"):
            cifar10(tmp_path)
    path.write_bytes(whole[:3073] + b"\x0a" + whole[3074:])
    with pytest.raises(DataError, match=r"data_batch_2.bin: image 1 has label 10, CIFAR-10 has labels 0 to 9"):
        cifar10(tmp_path)
    path.write_bytes(whole)
    (tmp_path / "batches.meta.txt").write_text("cat\ndog\n")
    with pytest.raises(DataError, match=r"has 2 class names; CIFAR-10 has 10"):
        cifar10(tmp_path)


def test_files_that_are_too_large_are_not_read(tmp_path: Path) -> None:
    path = files.binary10(tmp_path) / "test_batch.bin"
    os.truncate(path, 3073 << 20)  # sparse: takes no room
    with pytest.raises(DataError, match="more than any file of CIFAR"):
        cifar10(tmp_path)


class Payload:
    """Unpickling this makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


def test_pickled_programs_are_refused_by_name_and_not_run(tmp_path: Path) -> None:
    folder, victim = files.python10(tmp_path / "data"), tmp_path / "victim"
    for protocol in range(6):
        (folder / "data_batch_1").write_bytes(pickle.dumps({"data": Payload(victim)}, protocol))
        with pytest.raises(DataError, match=r"data_batch_1 is no .*names 'posix.mkdir'.*Nothing in it was run"):
            cifar10(folder)
        assert not victim.exists()
    pickle.loads((folder / "data_batch_1").read_bytes())
    assert victim.exists(), "the payload works, so the refusal is what stopped it"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "holds no dictionary"),
        ({"labels": [0]}, "has no images"),
        ({"data": files.pixels(0, 2)}, "has no labels: 'labels' should be a list"),
        ({"data": files.pixels(0, 2), "labels": [1]}, "has 2 images and 1 labels"),
        ({"data": files.pixels(0, 2), "labels": [1, 10]}, "image 1 has label 10"),
        ({"data": files.pixels(0, 2), "labels": [-7, 1]}, "image 0 has label -1"),
        ({"data": files.pixels(0, 2), "labels": [1 << 80, 1]}, "image 0 has label 255"),
        ({"data": files.pixels(0, 2), "labels": ["cat", "dog"]}, "has no labels"),
        ({"data": files.pixels(0, 2)[:, 1:], "labels": [0, 1]}, "uint8 array of n x 3072"),
        ({"data": files.pixels(0, 2).astype(float), "labels": [0, 1]}, "its array is not of type uint8"),
        ({"data": np.array([{}], object), "labels": [0]}, "its array is not of type uint8"),
    ],
)
def test_broken_python_files(content: Any, message: str, tmp_path: Path) -> None:
    files.dump(content, files.python10(tmp_path) / "test_batch")
    with pytest.raises(DataError, match=rf"test_batch.*{message}"):
        cifar10(tmp_path)
