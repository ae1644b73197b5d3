"""tf.data pipelines whose every random number is a function of seed, epoch and sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfkit.data._headers import BMP, GIF, JPEG, PNG
from tfkit.data._types import Augmentation

_ORDER, _SHIFT, _FLIP, _BOX = range(4)


class Draws:
    """The random numbers of one epoch, one stream per purpose, so that none depends on what else is drawn.

    NumPy draws them all before the pipeline starts: nothing random is left to threads.
    """

    def __init__(self, seed: int, epoch: int, samples: int) -> None:
        self._key = (seed % 2**64, epoch)
        self._samples = samples

    def order(self) -> np.ndarray:
        """A permutation of the samples."""
        return self._stream(_ORDER).permutation(self._samples)

    def shifts(self, pad: int) -> np.ndarray:
        """(sample, 2), 0 to 2 * pad: where the window starts in the padded image, down and right."""
        return self._stream(_SHIFT).integers(0, 2 * pad + 1, (self._samples, 2), dtype=np.int32)

    def flips(self) -> np.ndarray:
        """(sample,), True where the image is mirrored."""
        return self._stream(_FLIP).random(self._samples) < 0.5

    def boxes(self) -> np.random.Generator:
        """The stream for random crops."""
        return self._stream(_BOX)

    def _stream(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([*self._key, purpose])


def on_cpu(images: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    """Tensors that stay in main memory."""
    with tf.device("CPU"):
        return tf.constant(images), tf.constant(labels, tf.int64)


def memory_batches(
    images: Any,
    labels: Any,
    order: np.ndarray,
    batch_size: int,
    drop_remainder: bool,
    change: Augmentation | None,
    draws: Draws,
) -> Any:
    """Batches of tensors in memory, in ``order``; images become float32."""
    shift = change is not None and images.shape.rank == 4
    moves = windows(change, draws) if shift and change is not None else None

    def batch(indices: Any) -> tuple[Any, Any]:
        x = tf.cast(tf.gather(images, indices), tf.float32)
        if moves is not None:
            x = moves(x, indices)
        return x, tf.gather(labels, indices)

    found = tf.data.Dataset.from_tensor_slices(order.astype(np.int64)).batch(batch_size, drop_remainder=drop_remainder)
    return in_parallel(found, batch).prefetch(tf.data.AUTOTUNE)


def in_parallel(found: Any, function: Any) -> Any:
    """Map with as many threads as help; elements keep their order."""
    return found.map(function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def windows(change: Augmentation, draws: Draws) -> Any:
    """A function (images (batch, height, width, channel), sample numbers) -> images, shifted and mirrored.

    Both are one choice of rows and one of columns, so a whole batch moves in two gathers.
    """
    shifts = tf.constant(draws.shifts(change.pad))
    flips = tf.constant(draws.flips() if change.flip else np.zeros(len(shifts), bool))
    around = [[0, 0], [change.pad, change.pad], [change.pad, change.pad], [0, 0]]

    def move(images: Any, indices: Any) -> Any:
        height, width = images.shape[1:3]
        start = tf.gather(shifts, indices)
        columns = tf.range(width)[tf.newaxis]
        columns = tf.where(tf.gather(flips, indices)[:, tf.newaxis], width - 1 - columns, columns)
        padded = tf.pad(images, around)
        padded = tf.gather(padded, start[:, :1] + tf.range(height)[tf.newaxis], axis=1, batch_dims=1)
        return tf.gather(padded, start[:, 1:] + columns, axis=2, batch_dims=1)

    return move


def file_batches(
    paths: Sequence[bytes],
    labels: np.ndarray,
    kinds: np.ndarray,
    boxes: np.ndarray,
    shape: tuple[int, int, int],
    order: np.ndarray,
    batch_size: int,
    drop_remainder: bool,
    change: Any,
) -> Any:
    """Batches of image files: box (top, left, height, width) of each, resized to ``shape``, values whole, 0 to 255.

    ``change`` maps (images, sample numbers) to images, batch by batch; None leaves them alone.
    """
    only = int(kinds[0]) if len(set(kinds.tolist())) == 1 else None  # then the graph needs no choice of decoders
    elements = (tf.constant([paths[i] for i in order], tf.string), labels[order], kinds[order], boxes[order], order)

    def load(path: Any, label: Any, kind: Any, box: Any, index: Any) -> tuple[Any, Any, Any]:
        return read_image(path, kind if only is None else only, box, shape), label, index

    found = in_parallel(tf.data.Dataset.from_tensor_slices(elements), load)
    found = found.batch(batch_size, drop_remainder=drop_remainder)
    found = in_parallel(found, lambda x, y, i: (x if change is None else change(x, i), y))
    return found.prefetch(tf.data.AUTOTUNE)


def read_image(path: Any, kind: Any, box: Any, shape: tuple[int, int, int]) -> Any:
    """The ``box`` of one file, resized with antialiasing: float32 ``shape`` of whole numbers."""
    content = tf.io.read_file(path)

    def jpeg() -> Any:  # decodes no more than the box needs; the slow, exact transform is the same everywhere
        return tf.image.decode_and_crop_jpeg(content, box, channels=3, dct_method="INTEGER_ACCURATE")

    def png() -> Any:
        return cut(tf.image.decode_png(content, channels=3))

    def bmp() -> Any:
        return cut(tf.image.decode_bmp(content)[..., :3])

    def gif() -> Any:
        return cut(tf.image.decode_image(content, channels=3, expand_animations=False))

    def cut(image: Any) -> Any:
        return tf.slice(image, [box[0], box[1], 0], [box[2], box[3], 3])

    decoders = {JPEG: jpeg, PNG: png, BMP: bmp, GIF: gif}
    image = decoders[kind]() if isinstance(kind, int) else tf.switch_case(kind, decoders)
    height, width, channels = shape
    image = tf.image.resize(tf.reshape(image, [box[2], box[3], 3]), (height, width), antialias=True)
    if channels == 1:
        image = tf.image.rgb_to_grayscale(image)
    return tf.ensure_shape(tf.clip_by_value(tf.round(image), 0.0, 255.0), shape)


def mirrors(draws: Draws) -> Any:
    """A function (images, sample numbers) -> images, every second one mirrored left to right."""
    flips = tf.constant(draws.flips())

    def move(images: Any, indices: Any) -> Any:
        chosen = tf.gather(flips, indices)[:, tf.newaxis, tf.newaxis, tf.newaxis]
        return tf.where(chosen, tf.reverse(images, [2]), images)

    return move


def can_read(path: bytes, kind: int, box: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Whether ``read_image`` succeeds."""
    try:
        read_image(tf.constant(path), int(kind), tf.constant(box), shape)
    except tf.errors.OpError:
        return False
    return True


def is_tensorflow_error(error: Exception) -> bool:
    """Whether an exception came out of a running graph."""
    return isinstance(error, tf.errors.OpError)
