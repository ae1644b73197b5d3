"""Second derivatives of the loss, as far as they are positive: the Gauss-Newton part of the Hessian."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit.training.losses import ends_in_softmax

_CLASSES = 64  # one backward pass per sample and class: more are hours


def class_gradients(network: Any, variables: Sequence[Any], samples: np.ndarray) -> Iterator[list[np.ndarray]]:
    """√p_c · d log p_c / dw for every sample and every class c, one array per variable.

    With cross entropy the sum of their outer products is the Gauss-Newton matrix (and the Fisher information):
        Σ_c p_c · (d log p_c/dw)(d log p_c/dw)ᵀ = Jᵀ (diag(p) - p pᵀ) J,  J = dz/dw for logits z
    It needs no labels. Batch normalizations use their statistics.

    Raises:
        UsageError: the network is no classifier with at most 64 classes.
    """
    shape = network.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[-1] > _CLASSES:
        raise UsageError(
            f"second derivatives are computed for outputs (batch, at most {_CLASSES} classes), not {shape}; "
            "choose a method that works on the size of weights, for example han"
        )
    softmax = ends_in_softmax(network)

    @tf.function
    def gradients(x: Any, number: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            outputs = network(x, training=False)[0]
            log_p = tf.math.log(tf.maximum(outputs, 1e-30)) if softmax else tf.nn.log_softmax(outputs)
            value = log_p[number]
        root = tf.exp(value / 2)
        return [
            root * tf.convert_to_tensor(gradient)
            for gradient in tape.gradient(value, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        ]

    for sample in samples:
        x = tf.constant(sample[np.newaxis], tf.float32)
        for number in range(shape[-1]):
            yield [np.asarray(gradient) for gradient in gradients(x, tf.constant(number))]


def diagonal(network: Any, variables: Sequence[Any], samples: np.ndarray) -> list[np.ndarray]:
    """The diagonal of the mean Gauss-Newton matrix over samples, one array of a variable's shape per variable."""
    total = [np.zeros(variable.shape, np.float64) for variable in variables]
    for gradients in class_gradients(network, variables, samples):
        for values, gradient in zip(total, gradients, strict=True):
            values += np.square(gradient, dtype=np.float64)
    return [values / len(samples) for values in total]


def matrix(network: Any, variable: Any, samples: np.ndarray) -> np.ndarray:
    """The mean Gauss-Newton matrix of one variable of n values: (n, n), float64."""
    rows = np.stack([g.ravel() for (g,) in class_gradients(network, [variable], samples)]).astype(np.float64)
    return np.asarray(rows.T @ rows / len(samples))
