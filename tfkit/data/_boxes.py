"""Which part of an image is looked at: rectangles (top, left, height, width) in pixels, for many images at once."""

from __future__ import annotations

import math

import numpy as np

CENTRE = 0.875  # 224 of 256 pixels
AREA = (0.08, 1.0)
ASPECT = (3 / 4, 4 / 3)
_TRIES = 10


def centred(sizes: np.ndarray, aspect: float, share: float) -> np.ndarray:
    """The largest centred rectangles with ``aspect`` (width / height), their sides multiplied by ``share``.

    ``sizes`` is (sample, 2): height, width; the result (sample, 4), int32.

    >>> centred(np.array([[100, 200]]), 1.0, 0.875).tolist()
    [[6, 56, 88, 88]]
    """
    height, width = sizes[:, 0].astype(float), sizes[:, 1].astype(float)
    tall = share * np.minimum(height, width / aspect)
    return _placed(sizes, np.stack([tall, tall * aspect], axis=1), np.full((len(sizes), 2), 0.5))


def at_random(sizes: np.ndarray, aspect: float, generator: np.random.Generator) -> np.ndarray:
    """Rectangles of 8% to 100% of the area whose aspect is 3/4 to 4/3 times ``aspect``, anywhere in the image.

    Source: Szegedy et al., "Going Deeper with Convolutions", https://arxiv.org/abs/1409.4842, section 6. An image
    that none of ten draws fits gets its largest centred rectangle.
    """
    count = len(sizes)
    area = generator.uniform(*AREA, (count, _TRIES)) * sizes.prod(axis=1, dtype=float)[:, np.newaxis]
    ratio = aspect * np.exp(generator.uniform(math.log(ASPECT[0]), math.log(ASPECT[1]), (count, _TRIES)))
    place = generator.random((count, 2))
    sides = np.stack([np.sqrt(area / ratio), np.sqrt(area * ratio)], axis=2)
    fits = (np.round(sides) <= sizes[:, np.newaxis]).all(axis=2)
    first = fits.argmax(axis=1)
    found = _placed(sizes, sides[np.arange(count), first], place)
    return np.where(fits.any(axis=1)[:, np.newaxis], found, centred(sizes, aspect, 1.0)).astype(np.int32)


def _placed(sizes: np.ndarray, sides: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Whole pixels, at least one and inside; ``place`` 0 is the top left, 1 the bottom right."""
    whole = np.clip(np.round(sides), 1, sizes).astype(np.int32)
    corner = np.floor(place * (sizes - whole + 1)).astype(np.int32)
    return np.concatenate([corner, whole], axis=1)
