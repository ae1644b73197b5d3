"""Kind and size of image files from their first bytes, so that nothing broken or absurd reaches a decoder."""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass
from typing import BinaryIO

JPEG, PNG, BMP, GIF = range(4)
MAX_PIXELS = 1 << 26  # 67 million; decoded, 200 MB
_TAIL = 4096  # bytes at the end among which the end mark mostly is; cameras append films and more
_MAX_SEGMENTS = 1000  # of a JPEG before its frame
# Start-of-frame markers: C0 to CF without the tables DHT, JPG, DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class Header:
    """Kind of an image file, and its size in pixels."""

    kind: int
    height: int
    width: int


def read_header(path: bytes) -> Header:
    """The header of a JPEG, PNG, BMP or GIF file, whatever its name ends in.

    Raises:
        ValueError: why the file cannot be used, in a few words.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("no regular file")
        if status.st_size == 0:
            raise ValueError("an empty file")
        with open(path, "rb") as file:
            found = _read(file, status.st_size)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except (struct.error, IndexError) as error:
        raise ValueError("truncated") from error
    if found.height < 1 or found.width < 1:
        raise ValueError("an image without pixels")
    if found.height * found.width > MAX_PIXELS:
        raise ValueError(f"{found.width}x{found.height} pixels, more than {MAX_PIXELS} in all")
    return found


def _read(file: BinaryIO, size: int) -> Header:
    start = file.read(64)
    if start.startswith(b"\xff\xd8"):
        height, width = _jpeg_size(file)
        _need_end(file, size, b"\xff\xd9")
        return Header(JPEG, height, width)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        if start[12:16] != b"IHDR":
            raise ValueError("a damaged PNG")
        width, height = struct.unpack_from(">II", start, 16)
        _need_end(file, size, b"IEND\xaeB`\x82")  # with its checksum
        return Header(PNG, height, width)
    if start.startswith((b"GIF87a", b"GIF89a")):
        return _gif(file)
    if start.startswith(b"BM"):
        return _bmp(start, size)
    raise ValueError("no JPEG, PNG, BMP or GIF")


def _need_end(file: BinaryIO, size: int, mark: bytes) -> None:
    for start in (max(0, size - _TAIL), 0):
        file.seek(start)
        if mark in file.read():
            return
    raise ValueError("truncated")


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """Walk over the segments to the frame header (ITU-T T.81, annex B)."""
    position = 2
    for _ in range(_MAX_SEGMENTS):
        file.seek(position)
        lead, marker = struct.unpack(">BB", file.read(2))
        if lead != 0xFF:
            raise ValueError("a damaged JPEG")
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a segment
            position += 2
            continue
        if marker in (0xD9, 0xDA):
            raise ValueError("a JPEG without a frame header")
        (length,) = struct.unpack(">H", file.read(2))
        if marker in _FRAMES:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return height, width
        position += 2 + length
    raise ValueError("a damaged JPEG")


def _bmp(start: bytes, size: int) -> Header:
    offset, header, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", start, 10)
    if header < 40 or bits not in (24, 32) or compression != 0:
        raise ValueError("a BMP that is not plain 24 or 32 bits per pixel; save it as PNG")
    row = (width * bits // 8 + 3) // 4 * 4  # rows are padded to words
    if width > 0 and size < offset + row * abs(height):
        raise ValueError("truncated")
    return Header(BMP, abs(height), width)


def _gif(file: BinaryIO) -> Header:
    """Canvas size; decoders unpack every frame (GIF89a specification, sections 18 to 27), so all count.

    A frame may be larger than the canvas.
    """
    file.seek(6)
    width, height, flags, _, _ = struct.unpack("<HHBBB", file.read(7))
    _skip_colours(file, flags)
    pixels = width * height
    while (block := file.read(1)) != b";":
        if block == b",":
            _, _, frame_width, frame_height, flags = struct.unpack("<HHHHB", file.read(9))
            pixels += frame_width * frame_height
            if pixels > MAX_PIXELS:
                raise ValueError(f"frames of more than {MAX_PIXELS} pixels in all")
            _skip_colours(file, flags)
        elif block not in (b"!", b""):
            raise ValueError("a damaged GIF")
        file.seek(1, os.SEEK_CUR)  # what kind of extension it is, or how wide codes are
        while (length := file.read(1)[0]) > 0:
            file.seek(length, os.SEEK_CUR)
    return Header(GIF, height, width)


def _skip_colours(file: BinaryIO, flags: int) -> None:
    """A colour table follows when the top bit is set, of 2 to 256 entries."""
    if flags & 0x80:
        file.seek(3 * 2 ** ((flags & 7) + 1), os.SEEK_CUR)
