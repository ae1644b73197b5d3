"""CIFAR's published files, with few records of seeded content."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Writes texts as Python 2 did: as byte strings (opcodes SHORT_BINSTRING and BINSTRING)."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_text(self, text: Any) -> None:
        content = text.encode() if isinstance(text, str) else text
        head = b"U" + bytes([len(content)]) if len(content) < 256 else b"T" + struct.pack("<i", len(content))
        self.write(head + content)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_text


def dump(content: Any, path: Path, protocol: int | None = None) -> None:
    """Write a pickle as Python 2 did, or with a protocol of this Python."""
    with path.open("wb") as file:
        (Python2Pickler(file, 2) if protocol is None else pickle.Pickler(file, protocol)).dump(content)


def pixels(seed: int, count: int) -> np.ndarray:
    """(sample, 3072): all red values, row by row, then green, then blue."""
    return np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)


def binary10(folder: Path, count: int = 4) -> Path:
    """data_batch_1.bin to 5, test_batch.bin and the names; image i of a file has label i."""
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate((*BATCHES, "test_batch")):
        labels = np.arange(count, dtype=np.uint8)[:, np.newaxis]
        (folder / f"{name}.bin").write_bytes(np.hstack([labels, pixels(seed, count)]).tobytes())
    (folder / "batches.meta.txt").write_text("\n".join(names(10)) + "\n\n")
    return folder


def python10(folder: Path, count: int = 4, protocol: int | None = None) -> Path:
    """data_batch_1 to 5, test_batch and batches.meta."""
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate((*BATCHES, "test_batch")):
        content = {
            "batch_label": "batch",
            "labels": list(range(count)),
            "data": pixels(seed, count),
            "filenames": [f"{i}.png" for i in range(count)],
        }
        dump(content, folder / name, protocol)
    dump({"num_cases_per_batch": count, "label_names": names(10), "num_vis": 3072}, folder / "batches.meta", protocol)
    return folder


def binary100(folder: Path, count: int = 4) -> Path:
    """train.bin and test.bin; image i has coarse label i and fine label 99 - i."""
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(("train", "test")):
        labels = np.array([[i, 99 - i] for i in range(count)], np.uint8)
        (folder / f"{name}.bin").write_bytes(np.hstack([labels, pixels(seed, count)]).tobytes())
    (folder / "fine_label_names.txt").write_text("\n".join(names(100)))
    (folder / "coarse_label_names.txt").write_text("\n".join(names(20)))
    return folder


def python100(folder: Path, count: int = 4) -> Path:
    """train, test and meta."""
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(("train", "test")):
        content = {
            "coarse_labels": list(range(count)),
            "fine_labels": [99 - i for i in range(count)],
            "data": pixels(seed, count),
        }
        dump(content, folder / name)
    dump({"fine_label_names": names(100), "coarse_label_names": names(20)}, folder / "meta")
    return folder


def names(count: int) -> Sequence[str]:
    """Class names in which the number is told."""
    return [f"class {number}" for number in range(count)]
