"""Image files for tests: tiny real ones of each kind, and folders of them."""

from __future__ import annotations

import base64
import os
import struct
import zlib
from pathlib import Path

import numpy as np

GIF = base64.b64decode("R0lGODdhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")  # 1x1, white


def noise(seed: int, height: int, width: int, channels: int = 3) -> np.ndarray:
    """Seeded values (height, width, channels), uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(seed: int, height: int, width: int) -> np.ndarray:
    """A seeded colour gradient, which survives JPEG."""
    corners = np.random.default_rng(seed).uniform(0, 255, (2, 2, 3))
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    rows = corners[0] * (1 - y)[..., None, :] + corners[1] * y[..., None, :]
    return np.rint(rows[:, :, 0] * (1 - x) + rows[:, :, 1] * x).astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    """RGB or grey, 8 bits, written by hand after the PNG specification."""
    height, width, channels = image.shape

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + row.tobytes() for row in image)
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def bmp(image: np.ndarray, bits: int = 24) -> bytes:
    """Bottom-up rows of blue, green, red (and a fourth byte), padded to words."""
    height, width, _ = image.shape
    pixels = image[::-1, :, ::-1]
    if bits == 32:
        pixels = np.concatenate([pixels, np.full((height, width, 1), 255, np.uint8)], axis=2)
    rows = b"".join(row.tobytes() + b"\0" * (-row.nbytes % 4) for row in pixels)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, len(rows), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + header + rows


def jpeg(image: np.ndarray) -> bytes:
    """By TensorFlow, without loss of colour resolution."""
    import tensorflow as tf

    content: bytes = tf.io.encode_jpeg(image, quality=98, chroma_downsampling=False).numpy()
    return content


def folder(root: Path, counts: dict[str, int], size: tuple[int, int] = (20, 24)) -> Path:
    """``root/NAME/i.png`` for each name of ``counts``; image i of all folders together is ``noise(i)``."""
    seed = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            (root / name / f"{i}.png").write_bytes(png(noise(seed, *size)))
            seed += 1
    return root


def write_raw(path: bytes, content: bytes) -> None:
    """Write below a folder that is made when it is missing; names are bytes, as the system's are."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
