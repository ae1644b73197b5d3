"""LQ-Net's quantization error minimization: codes for a basis, and the basis that is best for codes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tfkit.quantizers._levels import binary_codes

RIDGE = 1e-6  # relative to the number of values; keeps unused codes from a singular system


def sorted_levels(basis: Any, codes: np.ndarray) -> tuple[Any, Any]:
    """Values of all codes in rising order, [rows, levels], and their codes, [rows, levels, bits], for [rows, bits]."""
    import tensorflow as tf

    table = tf.constant(codes, tf.float32)
    values = tf.matmul(basis, table, transpose_b=True)
    order = tf.argsort(values, axis=1)
    return tf.gather(values, order, batch_dims=1), tf.gather(table, order)


def nearest(x: Any, levels: Any, training: Any) -> Any:
    """Index of the nearest level for [rows, n]: how many midpoints lie below; a midpoint belongs to the lower level."""
    import tensorflow as tf

    midpoints = (levels[:, 1:] + levels[:, :-1]) / 2.0
    # Counted in bytes while training: comparing is most of what a quantizer does in a step. TensorFlow Lite knows no
    # sum of bytes, so a model that is converted counts in words.
    count = tf.int32 if training is False else tf.int8
    parts = [tf.cast(x > midpoints[:, i : i + 1], count) for i in range(midpoints.shape[1])]
    return tf.cast(tf.add_n(parts), tf.int32)


def level_of(index: Any, levels: Any) -> Any:
    """The level of each index: [rows, n]. One flat table is read faster than one per row."""
    import tensorflow as tf

    rows, count = levels.shape
    first = 0 if rows == 1 else count * tf.range(tf.shape(levels)[0])[:, None]
    return tf.gather(tf.reshape(levels, [-1]), index + first)


def best_basis(x: Any, index: Any, codes: Any, basis: Any) -> Any:
    """The basis v with least |B v - x|² / n + RIDGE |v - basis|², B the codes of ``index``: [rows, bits].

    BᵀB and Bᵀx follow from how many values have each level and from their sums, so B itself is never made.
    """
    import tensorflow as tf

    rows, levels = tf.shape(codes)[0], codes.shape[1]
    segment = tf.reshape(index + levels * tf.range(rows)[:, None], [-1])
    values = tf.reshape(x, [-1])
    numbers = tf.reshape(tf.math.unsorted_segment_sum(tf.ones_like(values), segment, rows * levels), [rows, levels])
    sums = tf.reshape(tf.math.unsorted_segment_sum(values, segment, rows * levels), [rows, levels])
    total = tf.cast(tf.shape(x)[1], tf.float32)
    weighted = codes * (numbers / total)[..., None]
    gram = tf.matmul(weighted, codes, transpose_a=True) + RIDGE * tf.eye(codes.shape[2])
    target = tf.einsum("rlb,rl->rb", codes, sums / total) + RIDGE * basis
    return tf.linalg.solve(gram, target[..., None])[..., 0]


@cache
def training_step(bits: int, zero: int) -> Callable[[Any, Any], tuple[Any, Any, Any]]:
    """(values [rows, n], basis [rows, bits]) -> rising levels [rows, 2^bits], the nearest of each value, best basis.

    One function for all layers, so that a network with many is not built out of thousands of operations in Python.
    """
    import tensorflow as tf

    def step(x: Any, basis: Any) -> tuple[Any, Any, Any]:
        levels, codes = sorted_levels(basis, binary_codes(bits, zero))
        index = nearest(x, levels, True)
        return levels, level_of(index, levels), best_basis(x, index, codes, basis)

    signature = tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None, bits), tf.float32)
    return tf.function(step, input_signature=signature, autograph=False)
