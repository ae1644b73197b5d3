"""Chains of elementwise operations as one loop, compiled by XLA where TensorFlow has it for this machine.

Op by op, each of them reads and writes all values of a feature map once more. Compiled functions are made once a
process and shared by all layers, since XLA compiles anew for every number of values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def has_compiler() -> bool:
    """Whether XLA compiles for the device that TensorFlow uses here."""
    import tensorflow as tf

    with tf.init_scope():
        try:
            return float(tf.function(lambda x: x + 1.0, jit_compile=True)(tf.constant(1.0))) == 2.0
        except (tf.errors.OpError, ValueError):  # a build without XLA, or without its compiler for this device
            return False


@cache
def _select(levels: int) -> Callable[[Any, Any, Any], Any]:
    import tensorflow as tf

    def select(x: Any, midpoints: Any, values: Any) -> Any:
        chosen = values[0]
        for number in range(levels - 1):
            chosen = tf.where(x > midpoints[number], values[number + 1], chosen)
        return chosen

    vector = tf.TensorSpec((None,), tf.float32)
    sizes = (levels - 1,), (levels,)
    return _compiled(select, (vector, *(tf.TensorSpec(size, tf.float32) for size in sizes)))


@cache
def _pass_on(derivative: Callable[[Any], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    import tensorflow as tf

    def pass_on(upstream: Any, x: Any, low: Any, high: Any) -> Any:
        middle, half = (high + low) / 2.0, tf.maximum((high - low) / 2.0, 1e-12)
        return upstream * derivative((x - middle) / half)

    vector, number = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.float32)
    return _compiled(pass_on, (vector, vector, number, number))


@cache
def _signs(count: int) -> Callable[[Any, Any, Any], Any]:
    import tensorflow as tf

    def signs(x: Any, shifts: Any, scales: Any) -> Any:
        return tf.add_n([scales[i] * _sign(_ends(x, shifts[i])) for i in range(count)])

    matrix, numbers = tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((count,), tf.float32)
    return _compiled(signs, (matrix, numbers, numbers))


@cache
def _signs_back(count: int, derivative: Callable[[Any], Any]) -> Callable[[Any, Any, Any, Any], Any]:
    import tensorflow as tf

    def total(values: Any) -> Any:
        return tf.reduce_sum(tf.reduce_sum(values, 0))  # the first sum runs over whole vectors of channels

    def signs_back(upstream: Any, x: Any, shifts: Any, scales: Any) -> Any:
        ends = [_ends(x, shifts[i]) for i in range(count)]
        slopes = [scales[i] * derivative(ends[i]) for i in range(count)]
        towards_shifts = tf.stack([total(upstream * slope) for slope in slopes])
        return upstream * tf.add_n(slopes), towards_shifts, tf.stack([total(upstream * _sign(end)) for end in ends])

    matrix, numbers = tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((count,), tf.float32)
    return _compiled(signs_back, (matrix, matrix, numbers, numbers))


def _ends(x: Any, shift: Any) -> Any:
    """-1 and +1 where x + shift is 0 and 1."""
    return 2.0 * (x + shift) - 1.0


def _sign(x: Any) -> Any:
    import tensorflow as tf

    return tf.where(x >= 0.0, 1.0, -1.0)


def _compiled(function: Callable[..., Any], signature: tuple[Any, ...]) -> Any:
    import tensorflow as tf

    return tf.function(function, input_signature=signature, jit_compile=True, autograph=False)


def nearest_level(x: Any, levels: Any, derivative: Callable[[Any], Any]) -> Any:
    """The nearest of the rising ``levels`` [n] for each of ``x``, any shape; a midpoint belongs to the lower level.

    Its gradient is ``derivative`` of u, which is -1 at the lowest and +1 at the highest level.
    """
    import tensorflow as tf

    @tf.custom_gradient
    def call(values: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            return _pass_on(derivative)(upstream, values, levels[0], levels[-1])

        midpoints = (levels[1:] + levels[:-1]) / 2.0
        return _select(levels.shape[0])(values, midpoints, levels), gradient

    return tf.reshape(call(tf.reshape(x, [-1])), tf.shape(x))


def sum_of_signs(x: Any, shifts: Any, scales: Any, derivative: Callable[[Any], Any]) -> Any:
    """Σ_i scales[i] · sign(u_i), u_i = 2 (x + shifts[i]) - 1, for ``x`` [..., channels].

    ``derivative`` of u_i stands in for that of the sign with respect to x and to shifts[i].
    """
    import tensorflow as tf

    count = shifts.shape[0]

    @tf.custom_gradient
    def call(values: Any, v: Any, beta: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            return _signs_back(count, derivative)(upstream, values, v, beta)

        return _signs(count)(values, v, beta), gradient

    return tf.reshape(call(tf.reshape(x, [-1, x.shape[-1] or 1]), shifts, scales), tf.shape(x))
