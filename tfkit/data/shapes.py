"""A generated task between digits and CIFAR: small colour images of textured shapes, as hard as one likes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from tfkit._errors import UsageError
from tfkit.data._types import Augmentation, Dataset

SIDE = 32
TRAIN, TEST = 20_000, 4_000
DEFAULT_DIFFICULTY = 0.5
OUTLINES = ("disc", "square", "triangle", "star", "cross")
TEXTURES = ("striped", "checked")
CLASSES = tuple(f"{texture} {outline}" for outline in OUTLINES for texture in TEXTURES)
_CHUNK = 2000  # images at once: their coordinates stay in the cache


@dataclass(frozen=True)
class _Knobs:
    """What the difficulty turns, from its easy to its hard end."""

    noise: float  # standard deviation, of 255
    contrast: float  # distance of shape and background colour, of 255
    depth: float  # of the texture
    smallest: float  # radius in pixels
    clutter: float  # of the background
    hue_cue: float  # chance that the hue of the shape, against its background, tells the class
    turn: float  # rotation, radians to either side

    @classmethod
    def at(cls, difficulty: float) -> _Knobs:
        def between(easy: float, hard: float) -> float:
            return easy + (hard - easy) * difficulty

        return cls(
            noise=between(4, 44),
            contrast=between(170, 60),
            depth=between(0.8, 0.4),
            smallest=between(10, 6),
            clutter=between(0.1, 1.0),
            hue_cue=between(0.6, 0.0),
            turn=between(0.3, np.pi),
        )


@functools.lru_cache(maxsize=2)
def shapes(difficulty: float = DEFAULT_DIFFICULTY, seed: int = 0) -> Dataset:
    """20,000 training and 4,000 test images (sample, 32, 32, 3), uint8 RGB, of 10 classes of equal size.

    The class is the outline (disc, square, triangle, star, cross) with its texture (striped, checked). Position, size,
    rotation, colours, phase, light, background and noise are drawn at random; shape and background change places in
    brightness, so that no sum of pixels tells a class. Background and texture have the falling spectrum of photographs
    (Field 1987, https://doi.org/10.1364/JOSAA.4.002379). ``difficulty`` 0 to 1 raises noise, clutter, rotation and
    the range of sizes, and lowers contrast and what colour tells.

    Raises:
        UsageError: a difficulty outside 0 to 1.
    """
    if not 0 <= difficulty <= 1:
        raise UsageError(f"the difficulty of shapes is {difficulty:g}; give a number from 0 (easy) to 1 (hard)")
    x_train, y_train = generate(TRAIN, difficulty, seed, part=0)
    x_test, y_test = generate(TEST, difficulty, seed, part=1)
    for array in (x_train, y_train, x_test, y_test):
        array.flags.writeable = False  # the cache hands the same arrays to every caller
    return Dataset(x_train, y_train, x_test, y_test, len(CLASSES), CLASSES, Augmentation(pad=4, flip=True))


def read_difficulty(text: str) -> float:
    """The number behind ``shapes:``; raises ``UsageError`` when it is none."""
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"shapes:{text} has no number behind the colon; for example shapes:0.5") from None


def generate(samples: int, difficulty: float, seed: int, part: int) -> tuple[np.ndarray, np.ndarray]:
    """``samples`` images and class numbers; different ``part`` numbers share no random draw."""
    images = np.empty((samples, SIDE, SIDE, 3), np.uint8)
    order = np.random.default_rng([seed, part]).permutation(samples)
    labels = (np.arange(samples) % len(CLASSES))[order].astype(np.int64)
    knobs = _Knobs.at(difficulty)
    for number, start in enumerate(range(0, samples, _CHUNK)):
        chunk = slice(start, start + _CHUNK)
        images[chunk] = _draw(labels[chunk], knobs, np.random.default_rng([seed, part, number + 1]))
    return images, labels


def _draw(labels: np.ndarray, knobs: _Knobs, rng: np.random.Generator) -> np.ndarray:
    count = len(labels)
    outline, texture = np.divmod(labels, len(TEXTURES))
    radius = _each(rng, count, knobs.smallest, 12)
    room = (SIDE / 2 - radius).clip(0) + 1
    x = _axis() - room * _each(rng, count, -1, 1)
    y = _axis()[:, np.newaxis] - room * _each(rng, count, -1, 1)
    angle = _each(rng, count, -knobs.turn, knobs.turn)
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    inside = np.clip(0.5 - radius * _distance(u / radius, v / radius, outline), 0, 1)  # one pixel of soft edge
    pattern = 1 + knobs.depth * 0.5 * _texture(u, v, texture, rng)
    scene = 1 + knobs.clutter * _clutter(rng, count)

    ground, figure = (colour[:, np.newaxis, np.newaxis] for colour in _colours(labels, knobs, rng))
    images = ground * scene[..., np.newaxis]
    images += inside[..., np.newaxis] * (figure * pattern[..., np.newaxis] - images)
    images += rng.standard_normal(images.shape, np.float32) * np.float32(knobs.noise)
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def _distance(u: np.ndarray, v: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Signed distance to each image's outline, of radius about one; negative inside."""
    found = np.empty_like(u)
    for number, distance in enumerate((_disc, _square, _triangle, _star, _cross)):
        chosen = outline == number
        found[chosen] = distance(u[chosen], v[chosen])
    return found


def _disc(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hypot(u, v) - np.float32(0.8)


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(abs(u), abs(v)) - np.float32(0.72)


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    slope = np.float32(np.sqrt(3) / 2)
    return np.maximum(v, slope * abs(u) - v / 2) - np.float32(0.5)


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Points at radius 1, notches at 0.45: fold the plane onto half a point, which has one straight edge."""
    sector = np.float32(2 * np.pi / 5)
    angle = abs(np.mod(np.arctan2(v, u) + sector / 2, sector) - sector / 2)
    radius = np.hypot(u, v)
    edge = 0.45 * np.exp(0.5j * float(sector)) - 1.0  # from the tip to the notch
    normal = np.array([edge.imag, -edge.real], np.float32) / np.float32(abs(edge))
    return (radius * np.cos(angle) - 1) * normal[0] + radius * np.sin(angle) * normal[1]


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    u, v = abs(u), abs(v)
    long, short = np.float32(0.9), np.float32(0.32)
    return np.minimum(np.maximum(u - long, v - short), np.maximum(u - short, v - long))


def _texture(u: np.ndarray, v: np.ndarray, texture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stripes or a check of random wavelength, 4 to 7 pixels, and phase, with a standard deviation of about 0.7."""
    wavelength = _each(rng, len(u), 4, 7)
    along, across = (2 * np.pi / wavelength * axis + _each(rng, len(u), 0, 2 * np.pi) for axis in (u, v))
    checked = (texture == TEXTURES.index("checked"))[:, np.newaxis, np.newaxis]
    return np.where(checked, np.sqrt(2) * np.sin(across), 1) * np.sin(along)


def _colours(labels: np.ndarray, knobs: _Knobs, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(sample, 3) colours of background and shape; only their difference may say something about the class."""
    count = len(labels)
    hue = rng.uniform(0, 2 * np.pi, count)
    told = labels * (2 * np.pi / len(CLASSES)) + rng.normal(0, 0.3, count)
    other = hue + np.where(rng.random(count) < knobs.hue_cue, told, rng.uniform(0, 2 * np.pi, count))
    step = knobs.contrast * rng.uniform(0.5, 1, count) * rng.choice([-0.5, 0.5], count)
    light = rng.uniform(100, 156, count)
    return _rgb(light - step, hue), _rgb(light + step, other)


def _rgb(light: np.ndarray, hue: np.ndarray) -> np.ndarray:
    thirds = np.arange(3) * (2 * np.pi / 3)
    return (light[:, np.newaxis] + 30 * np.cos(hue[:, np.newaxis] - thirds)).astype(np.float32)


def _clutter(rng: np.random.Generator, count: int) -> np.ndarray:
    """(sample, 32, 32) of about -0.5 to 0.5: smooth fields of falling amplitude, and two bars with sharp edges."""
    found = np.zeros((count, SIDE, SIDE), np.float32)
    for cells in (2, 4, 8, 16):
        weights = _interpolation(cells)
        found += weights @ rng.uniform(-0.5, 0.5, (count, cells + 1, cells + 1)).astype(np.float32) @ weights.T / cells
    axis = _axis()
    for _ in range(2):
        angle = _each(rng, count, 0, np.pi)
        across = np.cos(angle) * axis[:, np.newaxis] + np.sin(angle) * axis - _each(rng, count, -SIDE / 2, SIDE / 2)
        found += _each(rng, count, -0.4, 0.4) * (abs(across) < _each(rng, count, 0.7, 3))
    return found


def _interpolation(cells: int) -> np.ndarray:
    """(32, cells + 1): linear interpolation between the corners of ``cells`` cells."""
    place = np.linspace(0, cells, SIDE, dtype=np.float32)
    return np.clip(1 - abs(place[:, np.newaxis] - np.arange(cells + 1, dtype=np.float32)), 0, 1)


def _axis() -> np.ndarray:
    """Pixel centres, 0 in the middle."""
    return np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2


def _each(rng: np.random.Generator, count: int, low: float, high: float) -> np.ndarray:
    return rng.uniform(low, high, (count, 1, 1)).astype(np.float32)
