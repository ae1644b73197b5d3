"""What is known of an image file before anything decodes it."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from helpers import images
from tfkit.data._headers import BMP, GIF, JPEG, PNG, Header, read_header


def header(path: Path, content: bytes) -> Header:
    path.write_bytes(content)
    return read_header(os.fsencode(path))


def test_kind_and_size(tmp_path: Path) -> None:
    image = images.smooth(0, 7, 9)
    contents = {PNG: images.png(image), BMP: images.bmp(image), JPEG: images.jpeg(image)}
    for kind, content in contents.items():
        assert header(tmp_path / "x.any", content) == Header(kind, 7, 9)
    assert header(tmp_path / "x", images.bmp(image, 32)) == Header(BMP, 7, 9)
    assert header(tmp_path / "x", images.GIF) == Header(GIF, 1, 1)
    comment = b"!\xfe\x05hello\x03you\x00"
    assert header(tmp_path / "x", images.GIF[:19] + comment + images.GIF[19:]) == Header(GIF, 1, 1)


def test_what_cameras_put_around_a_jpeg(tmp_path: Path) -> None:
    content = images.jpeg(images.smooth(0, 7, 9))
    thumbnail = b"\xff\xe1" + struct.pack(">H", 2 + len(content)) + content
    assert header(tmp_path / "x", content[:2] + thumbnail + b"\xff" + content[2:]) == Header(JPEG, 7, 9)
    assert header(tmp_path / "x", content + b"film" * 5000) == Header(JPEG, 7, 9)


def test_what_cannot_be_used(tmp_path: Path) -> None:
    image = images.smooth(0, 70, 90)
    png, bmp, jpeg = images.png(image), images.bmp(image), images.jpeg(image)
    cases = [
        (b"", "an empty file"),
        (b"hello", "no JPEG, PNG, BMP or GIF"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "no JPEG, PNG, BMP or GIF"),
        (png[:-20], "truncated"),
        (png[:20], "truncated"),
        (bmp[:-20], "truncated"),
        (bmp[:20], "truncated"),
        (jpeg[:-20], "truncated"),
        (jpeg[:20], "truncated"),
        (images.GIF[:7], "truncated"),
        (jpeg[:2] + b"\x00" + jpeg[3:], "a damaged JPEG"),
        (b"\xff\xd8\xff\xd9", "a JPEG without a frame header"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 5000, "a damaged JPEG"),
        (bmp[:28] + b"\x08\x00" + bmp[30:], "not plain 24 or 32 bits"),
        (png[:16] + struct.pack(">II", 0, 5) + png[24:], "an image without pixels"),
        (png[:16] + struct.pack(">II", 60_000, 60_000) + png[24:], "60000x60000 pixels, more than 67108864"),
        (b"GIF89a\xff\xff\xff\xff" + images.GIF[10:], "frames of more than 67108864 pixels"),
        (b"GIF89a\xff\xff\xff\xff" + images.GIF[10:19] + b";", "65535x65535 pixels"),
        (images.GIF[:24] + b"\xff\xff\xff\xff" + images.GIF[28:], "frames of more than 67108864 pixels"),
        (images.GIF[:19] + b"?" + images.GIF[19:], "a damaged GIF"),
        (bmp[:18] + struct.pack("<ii", -5, 70) + bmp[26:], "an image without pixels"),
    ]
    for content, message in cases:
        with pytest.raises(ValueError, match=message):
            header(tmp_path / "x.jpg", content)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # reading it would wait for ever
    (tmp_path / "link.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "ring.png").symlink_to(tmp_path / "ring.png")
    for name, message in {"pipe.png": "no regular file", "link.png": "cannot be read", "ring.png": "cannot be"}.items():
        with pytest.raises(ValueError, match=message):
            read_header(os.fsencode(tmp_path / name))


def test_any_cut_is_one_error(tmp_path: Path) -> None:
    image = images.smooth(0, 5, 6)
    for whole in (images.png(image), images.bmp(image), images.jpeg(image), images.GIF):
        for length in range(len(whole)):
            with pytest.raises(ValueError, match=r"truncated|empty|no JPEG|damaged"):
                header(tmp_path / "x", whole[:length])


@pytest.mark.slow
def test_what_headers_let_through_breaks_no_decoder(tmp_path: Path) -> None:
    """Flipped bytes and cuts: every file is refused, fails to decode, or decodes; the process lives."""
    from tfkit.data._boxes import centred
    from tfkit.data._pipeline import can_read

    image, rng = images.smooth(0, 20, 24), np.random.default_rng(0)
    path = tmp_path / "x"
    passed = {True: 0, False: 0}
    for whole in (images.png(image), images.bmp(image), images.bmp(image, 32), images.jpeg(image), images.GIF):
        for _ in range(300):
            damaged = bytearray(whole)
            for place in rng.integers(0, min(len(whole), 200), rng.integers(1, 4)):
                damaged[place] = rng.integers(0, 256)
            try:
                found = header(path, bytes(damaged))
            except ValueError:
                continue
            box = centred(np.array([[found.height, found.width]]), 1.0, 1.0)[0]
            passed[can_read(os.fsencode(path), found.kind, box, (8, 8, 3))] += 1
    assert min(passed.values()) > 50, "the damage reaches the decoders, and not always"
