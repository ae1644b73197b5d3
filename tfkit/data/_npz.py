"""Read .npz files of any origin: nothing is unpickled, and nothing allocated before its size is known to be true."""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from tfkit._errors import DataError
from tfkit._registry import unknown_name
from tfkit._units import format_bytes
from tfkit._untrusted import MAX_MEMBERS
from tfkit.data.named import DATASETS

MAX_BYTES = 4 << 30
_SUSPECT = 64 << 20  # up to here any compression is believed
_MAX_RATIO = 200
_SUFFIX = ".npy"


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name.

    Raises:
        DataError: missing, another kind of file, damaged, pickled, or it would unpack to an absurd size.
    """
    if os.path.isdir(path):
        raise DataError(f"{path} is a folder; say what it holds: {_guess(path)}")
    if not os.path.isfile(path):
        what = f"{path} is no regular file" if os.path.exists(path) else f"no data file {path}"
        known = f" ({unknown_name('data set', str(path), DATASETS)})" if not path.suffix else ""
        raise DataError(f"{what}; give an .npz file or a named data set{known}")
    if not os.access(path, os.R_OK):
        raise DataError(f"{path} cannot be read: permission denied")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is not an .npz file; write one with numpy.savez(path, x=images, y=labels)")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive)
            return {m.filename.removesuffix(_SUFFIX): _member(path, archive, m) for m in archive.infolist()}
    except DataError:
        raise
    except Exception as error:  # zlib.error, SyntaxError from a hostile header, RuntimeError for an encrypted member
        raise DataError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _guess(folder: Path) -> str:
    def holds(pattern: str) -> bool:
        return any(folder.glob(pattern)) or any(folder.glob(f"*/{pattern}"))

    if holds("data_batch_1*"):
        return f"cifar10:{folder}"
    if holds("fine_label_names.txt") or (folder / "cifar-100-python").is_dir():
        return f"cifar100:{folder}"
    return f"images:{folder} (one folder of images per class), or cifar10:, cifar100: before it for CIFAR's files"


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{path} has {len(members)} members; it is no file of samples")
    foreign = [m.filename for m in members if not m.filename.endswith(_SUFFIX)]
    if foreign:
        raise DataError(
            f"{path} is a zip of other things ({foreign[0]!r}), not an .npz file; "
            "write one with numpy.savez(path, x=images, y=labels)"
        )
    if len({m.filename for m in members}) != len(members):
        raise DataError(f"{path} is damaged: it has two arrays of one name")
    packed, unpacked = (sum(m.compress_size for m in members), sum(m.file_size for m in members))
    if packed > path.stat().st_size:
        raise DataError(f"{path} is damaged: its directory claims more bytes than the file has")
    if unpacked > MAX_BYTES or (unpacked > _SUSPECT and unpacked > _MAX_RATIO * packed):
        raise DataError(
            f"{path} was not unpacked: from {format_bytes(packed)} it would become {format_bytes(unpacked)}; "
            "save fewer samples"
        )


def _member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """One array; its header must declare exactly the bytes that the archive holds."""
    name = member.filename.removesuffix(_SUFFIX)
    with archive.open(member) as file:
        shape, dtype = _header(file)
        if dtype.hasobject:
            raise DataError(f"{path} holds pickled objects, which are programs; save plain numeric arrays instead")
        declared = math.prod(shape) * dtype.itemsize
        rest = member.file_size - file.tell()
        if declared != rest or min(shape, default=0) < 0:
            raise DataError(
                f"{path} is damaged: array {name!r} declares {declared} bytes ({'x'.join(map(str, shape))} {dtype}) "
                f"and has {rest}"
            )
    with archive.open(member) as file:
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:  # 3.0 is for field names of structured types
        raise ValueError(f"an array of format version {version[0]}.{version[1]}, which plain numbers do not need")
    shape, _, dtype = readers[version](file)
    return shape, dtype
