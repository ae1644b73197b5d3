"""CIFAR-10 and CIFAR-100 from a folder, in the binary and the Python version that their authors publish."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfkit._errors import DataError
from tfkit.data._pickles import read_plain
from tfkit.data._types import Augmentation, Dataset

SIDE = 32
PIXELS = 3 * SIDE * SIDE
MAX_FILE_BYTES = 512 << 20  # the published files have at most 186 MB
_MORE = 3  # names in a message before "..."


@dataclass(frozen=True)
class _Version:
    """One of the forms in which a data set is published."""

    folder: str
    archive: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str

    @property
    def files(self) -> tuple[str, ...]:
        return self.train + self.test


@dataclass(frozen=True)
class _Kind:
    """One data set: where its labels stand, and both its versions.

    ``label`` is the byte of a binary record that holds the label, of ``label_bytes``; ``key`` names the labels in a
    Python file, ``name_key`` their names.
    """

    title: str
    classes: int
    label: int
    label_bytes: int
    key: str
    name_key: str
    binary: _Version
    python: _Version


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
_CIFAR10 = _Kind(
    "CIFAR-10",
    10,
    0,
    1,
    "labels",
    "label_names",
    _Version("cifar-10-batches-bin", "cifar-10-binary.tar.gz", tuple(f"{name}.bin" for name in _BATCHES),
             ("test_batch.bin",), "batches.meta.txt"),
    _Version("cifar-10-batches-py", "cifar-10-python.tar.gz", _BATCHES, ("test_batch",), "batches.meta"),
)  # fmt: skip


def _cifar100(label: int, classes: int, level: str) -> _Kind:
    return _Kind(
        f"CIFAR-100 ({level} labels)",
        classes,
        label,
        2,
        f"{level}_labels",
        f"{level}_label_names",
        _Version("cifar-100-binary", "cifar-100-binary.tar.gz", ("train.bin",), ("test.bin",),
                 f"{level}_label_names.txt"),
        _Version("cifar-100-python", "cifar-100-python.tar.gz", ("train",), ("test",), "meta"),
    )  # fmt: skip


_FINE = _cifar100(1, 100, "fine")
_COARSE = _cifar100(0, 20, "coarse")


def cifar10(folder: str | os.PathLike[str]) -> Dataset:
    """CIFAR-10: images (sample, 32, 32, 3), uint8 RGB, 10 classes.

    ``folder`` holds the unpacked files of the binary or the Python version, or the published folder that holds them.
    Files with fewer records than the published ones are read, as long as records are whole.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, chapter 3;
    https://www.cs.toronto.edu/~kriz/cifar.html describes both layouts.

    Raises:
        DataError: files are missing, truncated, foreign, or hold labels out of range.
    """
    return _load(_CIFAR10, Path(folder))


def cifar100(folder: str | os.PathLike[str]) -> Dataset:
    """CIFAR-100 with its 100 fine labels; otherwise as ``cifar10``."""
    return _load(_FINE, Path(folder))


def cifar100_coarse(folder: str | os.PathLike[str]) -> Dataset:
    """CIFAR-100 with its 20 coarse labels, the superclasses; otherwise as ``cifar10``."""
    return _load(_COARSE, Path(folder))


def _load(kind: _Kind, folder: Path) -> Dataset:
    version, home = _find(kind, folder)
    read: Callable[[_Kind, Path], tuple[np.ndarray, np.ndarray]]
    read, read_names = (_read_binary, _lines) if version is kind.binary else (_read_python, _meta)
    parts = {name: read(kind, home / name) for name in version.files}
    names = read_names(kind, home / version.names) if (home / version.names).exists() else ()
    if names and len(names) != kind.classes:
        raise DataError(f"{home / version.names} has {len(names)} class names; {kind.title} has {kind.classes}")
    x_train, y_train = _joined([parts[name] for name in version.train])
    x_test, y_test = _joined([parts[name] for name in version.test])
    return Dataset(x_train, y_train, x_test, y_test, kind.classes, tuple(names), Augmentation(pad=4, flip=True))


def _find(kind: _Kind, folder: Path) -> tuple[_Version, Path]:
    """The version that is there, and the folder of its files; all of them."""
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {what}; {_advice(kind)}")
    for version in (kind.binary, kind.python):
        for home in (folder, folder / version.folder):
            missing = [name for name in version.files if not (home / name).is_file()]
            if not missing:
                return version, home
            if len(missing) < len(version.files) and not _foreign(kind, home):
                raise DataError(f"{home} lacks {_some(missing)} of {kind.title}; {_advice(kind)}")
    raise DataError(f"{folder} holds no {kind.title}{_hint(kind, folder)}; {_advice(kind)}")


def _foreign(kind: _Kind, home: Path) -> bool:
    """A file called "train" or "test" alone says nothing."""
    return kind is not _CIFAR10 and not any((home / version.names).exists() for version in (kind.binary, kind.python))


def _hint(kind: _Kind, folder: Path) -> str:
    for version in (kind.binary, kind.python):
        for place in (folder, folder.parent):
            if (place / version.archive).is_file():
                return f", but {place / version.archive} is there: unpack it (tar xzf {version.archive})"
    other, name = (_FINE, "cifar100") if kind is _CIFAR10 else (_CIFAR10, "cifar10")
    for version in (other.binary, other.python):
        for home in (folder, folder / version.folder):
            if all((home / file).is_file() for file in version.files):
                return f", but the files of {name}: use {name}:{folder}"
    return ""


def _advice(kind: _Kind) -> str:
    binary, python = kind.binary, kind.python
    return (
        f"expected are {_some(binary.files)} (binary version) or {_some(python.files)} (Python version), in the "
        f"folder itself or in {binary.folder} or {python.folder} in it. Get {binary.archive} from the CIFAR page of "
        "the University of Toronto (https://www.cs.toronto.edu/~kriz/cifar.html) and unpack it"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MORE]) + (", ..." if len(names) > _MORE else "")


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DataError(f"{path} has {path.stat().st_size} bytes, more than any file of CIFAR; it is another file")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def _read_binary(kind: _Kind, path: Path) -> tuple[np.ndarray, np.ndarray]:
    content = _content(path)
    record = kind.label_bytes + PIXELS
    if not content or len(content) % record:
        raise DataError(
            f"{path} has {len(content)} bytes, not a whole number of records of {record} bytes "
            f"({kind.label_bytes} for labels, {PIXELS} for pixels): it is truncated or another file; "
            f"unpack {kind.binary.archive} again"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, record)
    return _checked(kind, path, records[:, kind.label_bytes :], records[:, kind.label])


def _read_python(kind: _Kind, path: Path) -> tuple[np.ndarray, np.ndarray]:
    found = _unpickled(kind, path)
    pixels, labels = found.get("data"), found.get(kind.key)
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != PIXELS or not len(pixels):
        raise DataError(f"{path} has no images: 'data' should be a uint8 array of n x {PIXELS}")
    if not isinstance(labels, list) or any(type(label) is not int for label in labels):
        raise DataError(f"{path} has no labels: {kind.key!r} should be a list of class numbers")
    if len(labels) != len(pixels):
        raise DataError(f"{path} has {len(pixels)} images and {len(labels)} labels")
    return _checked(kind, path, pixels, np.array([min(max(label, -1), 255) for label in labels]))


def _unpickled(kind: _Kind, path: Path) -> dict[str, Any]:
    try:
        found = read_plain(_content(path))
    except ValueError as error:
        raise DataError(
            f"{path} is no file of {kind.title}, or damaged: {error}. Nothing in it was run; "
            f"unpack {kind.python.archive} again"
        ) from error
    if not isinstance(found, dict):
        raise DataError(f"{path} is no file of {kind.title}: it holds no dictionary")
    return found


def _checked(kind: _Kind, path: Path, pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wrong = np.flatnonzero((labels < 0) | (labels >= kind.classes))
    if len(wrong):
        raise DataError(
            f"{path}: image {wrong[0]} has label {labels[wrong[0]]}, {kind.title} has labels 0 to {kind.classes - 1}; "
            "the file is damaged or another one"
        )
    images = pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.astype(np.int64)


def _joined(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _lines(kind: _Kind, path: Path) -> tuple[str, ...]:
    lines = _content(path).decode("utf-8", "backslashreplace").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def _meta(kind: _Kind, path: Path) -> tuple[str, ...]:
    names = _unpickled(kind, path).get(kind.name_key)
    if not isinstance(names, list):
        raise DataError(f"{path} has no class names: {kind.name_key!r} should be a list")
    return tuple(name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else str(name) for name in names)
