"""What tests of quantizers share: values where they go wrong, their gradients, and layers that use them."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.keras import values_with_edges


def gradients(quantizer: Any, x: np.ndarray, upstream: np.ndarray, training: bool = False) -> list[np.ndarray]:
    """dL/dx, then dL/dvariable for all trainable variables, of L = Σ upstream · q(x)."""
    import tensorflow as tf

    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(quantizer(inputs, training=training) * upstream)
    found = tape.gradient(loss, [inputs, *quantizer.trainable_weights])
    return [np.asarray(part) for part in found]


def data(shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of both signs with exact zeros and the edges of [-1, 1], and a random gradient for each."""
    return values_with_edges(shape, seed), np.random.default_rng(seed + 9).normal(size=shape).astype(np.float32)


def built(quantizer: Any, x: np.ndarray) -> Any:
    """The quantizer, built for values like ``x``."""
    import tensorflow as tf

    quantizer.build(tf.TensorShape(x.shape))
    return quantizer
