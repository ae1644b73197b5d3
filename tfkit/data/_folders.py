"""Which image files a folder holds, by split and class: any names, any nesting, links that lead in circles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfkit._errors import DataError

SUFFIXES = (b".jpg", b".jpeg", b".png", b".bmp", b".gif")
TEST_NAMES = (b"test", b"val", b"validation")
TEST_SHARE = 0.2  # of each class, where the folder has no split of its own
SPLIT_SEED = 0
_IGNORED = (b"__MACOSX",)


@dataclass(frozen=True)
class Files:
    """Paths and class numbers of one split, in a fixed random order: every beginning is a sample of the whole."""

    paths: Sequence[bytes]
    labels: np.ndarray


@dataclass(frozen=True)
class Listing:
    """All of a folder."""

    class_names: tuple[str, ...]
    splits: dict[str, Files]


def list_folder(folder: Path) -> Listing:
    """The labelled images of ``folder``.

    Either ``folder/train/CLASS/...`` with ``test``, ``val`` or ``validation`` beside ``train``, or ``folder/CLASS/...``
    (also ``folder/train/CLASS/...`` alone), of which each class gives a fifth to the test split, by a fixed seed.

    Raises:
        DataError: no folder, no classes, classes without images, test classes that are not in the training split.
    """
    root = root_of(folder)
    train = os.path.join(root, b"train")
    tests = [home for home in (os.path.join(root, name) for name in TEST_NAMES) if _has_classes(home)]
    if _has_classes(train) and (tests or _subfolders(root) == [b"train"]):
        classes = _classes(train)
        splits = {"train": _by_class(train, classes)}
        if tests:
            return _listing(classes, splits["train"], _test_files(train, tests[0], classes))
        return _listing(classes, *_split(splits["train"]))
    classes = _classes(root)
    return _listing(classes, *_split(_by_class(root, classes)))


def list_flat(folder: Path) -> list[bytes]:
    """The images directly in ``folder`` when it has no folders of classes, in a fixed random order; else none."""
    root = root_of(folder)
    found = sorted(entry for entry in _entries(root) if _is_image(entry))
    if not found or _has_classes(root):
        return []
    return [os.path.join(root, found[i]) for i in np.random.default_rng(SPLIT_SEED).permutation(len(found))]


def root_of(folder: Path) -> bytes:
    """The absolute path of a folder, as the system's bytes; raises ``DataError`` when it is none."""
    if not folder.is_dir():
        raise DataError(f"{folder} {'is no folder' if folder.exists() else 'does not exist'}; give a folder of images")
    return os.fsencode(folder.absolute())


def shown(path: bytes) -> str:
    """A path for a message or a table: odd bytes and control characters escaped."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _listing(classes: Sequence[bytes], train: list[list[bytes]], test: list[list[bytes]]) -> Listing:
    return Listing(tuple(map(shown, classes)), {"train": _shuffled(train), "test": _shuffled(test)})


def _shuffled(by_class: list[list[bytes]]) -> Files:
    paths = [path for found in by_class for path in found]
    labels = np.repeat(np.arange(len(by_class)), [len(found) for found in by_class])
    order = np.random.default_rng(SPLIT_SEED).permutation(len(paths))
    return Files([paths[i] for i in order], labels[order].astype(np.int64))


def _split(by_class: list[list[bytes]]) -> tuple[list[list[bytes]], list[list[bytes]]]:
    train, test = [], []
    for number, found in enumerate(by_class):
        order = np.random.default_rng([SPLIT_SEED, number]).permutation(len(found))
        count = min(max(round(TEST_SHARE * len(found)), 1), len(found) - 1)
        test.append([found[i] for i in sorted(order[:count])])
        train.append([found[i] for i in sorted(order[count:])])
    if not any(test):
        raise DataError("no class has two images, so that nothing is left to test on; add images")
    return train, test


def _classes(home: bytes) -> list[bytes]:
    classes = _subfolders(home)
    if len(classes) >= 2:
        return classes
    loose = sum(_is_image(entry) for entry in _entries(home))
    there = f"one class folder ({shown(classes[0])})" if classes else "no class folders"
    there += f", and {loose} images outside of any" if loose else ""
    raise DataError(
        f"{shown(home)} holds {there}; a classifier needs two or more: "
        "DIR/CLASS/IMAGE, or DIR/train/CLASS/IMAGE and DIR/test/CLASS/IMAGE"
    )


def _by_class(home: bytes, classes: Sequence[bytes]) -> list[list[bytes]]:
    found = [_images(os.path.join(home, name)) for name in classes]
    empty = [shown(name) for name, images in zip(classes, found, strict=True) if not images]
    if empty:
        raise DataError(
            f"{shown(home)} has classes without images: {_some(empty)}; remove the folders or add images "
            f"({', '.join(suffix.decode() for suffix in SUFFIXES)})"
        )
    return found


def _test_files(train: bytes, home: bytes, classes: Sequence[bytes]) -> list[list[bytes]]:
    strange = [shown(name) for name in _subfolders(home) if name not in classes]
    if strange:
        raise DataError(
            f"{shown(home)} has classes that {shown(train)} does not have: {_some(strange)}; "
            "the folders of both must have the same names"
        )
    there = _subfolders(home)
    found = [_images(os.path.join(home, name)) if name in there else [] for name in classes]
    if not any(found):
        raise DataError(f"{shown(home)} holds no images in its class folders; add some, or remove {shown(home)}")
    return found


def _images(home: bytes) -> list[bytes]:
    """Image files below ``home``, sorted; each real folder once, so that links cannot lead in circles."""
    found, waiting, seen = [], [home], set()
    while waiting:
        folder = waiting.pop()
        try:
            status = os.stat(folder)
        except OSError as error:
            raise DataError(f"{shown(folder)} cannot be read: {error.strerror}") from error
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for name in sorted(_entries(folder)):
            path = os.path.join(folder, name)
            if os.path.isdir(path):
                waiting.append(path)
            elif _is_image(name):
                found.append(path)
    return sorted(found)


def _has_classes(home: bytes) -> bool:
    return os.path.isdir(home) and bool(_subfolders(home))


def _subfolders(home: bytes) -> list[bytes]:
    return sorted(name for name in _entries(home) if os.path.isdir(os.path.join(home, name)))


def _entries(home: bytes) -> list[bytes]:
    """Names in a folder without hidden ones."""
    try:
        return [name for name in os.listdir(home) if not name.startswith(b".") and name not in _IGNORED]
    except OSError as error:
        raise DataError(f"{shown(home)} cannot be read: {error.strerror}") from error


def _is_image(name: bytes) -> bool:
    return name.lower().endswith(SUFFIXES)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
