"""Straight-through estimators: what stands in for the derivative of a step function, by name.

A quantizer q is constant almost everywhere, so its derivative is replaced by that of a smooth f of similar shape:
dL/dx ≈ dL/dq · f'(u), with u the input in units of the quantizer's range, whose ends are -1 and +1
(Bengio et al. 2013, https://arxiv.org/abs/1308.3432; equation 8 of Roth et al. 2020,
https://arxiv.org/abs/2001.03048).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfkit._registry import Registry

PseudoGradient = Callable[[Any], Any]  # u -> f'(u), tensors of one shape

PSEUDO_GRADIENTS: Registry[PseudoGradient] = Registry("pseudo-gradient")


def identity(u: Any) -> Any:
    """f(u) = u: f' = 1 everywhere."""
    import tensorflow as tf

    return tf.ones_like(u)


def clipped(u: Any) -> Any:
    """f(u) = max(-1, min(1, u)): f' = 1[|u| <= 1]. Hubara et al. 2016, https://arxiv.org/abs/1602.02830, equation 4."""
    import tensorflow as tf

    return tf.cast(tf.abs(u) <= 1.0, u.dtype)


def tanh(u: Any) -> Any:
    """f(u) = tanh(u): f' = 1 - tanh(u)²."""
    import tensorflow as tf

    return 1.0 - tf.square(tf.tanh(u))


def approx_sign(u: Any) -> Any:
    """f piecewise quadratic: f' = (2 - 2|u|) · 1[|u| <= 1]. Liu et al. 2018, https://arxiv.org/abs/1808.00278."""
    import tensorflow as tf

    return tf.maximum(2.0 - 2.0 * tf.abs(u), 0.0)


def swish_sign(u: Any) -> Any:
    """f' = β (2 - βu tanh(βu / 2)) / (1 + cosh(βu)) with β = 5. Darabi et al. 2018, https://arxiv.org/abs/1812.11800."""
    import tensorflow as tf

    beta = 5.0
    u = tf.clip_by_value(u, -16.0, 16.0)  # cosh(80) is the last that float32 holds; f' is 0 long before
    return beta * (2.0 - beta * u * tf.tanh(beta * u / 2.0)) / (1.0 + tf.cosh(beta * u))


for _function in (identity, clipped, tanh, approx_sign, swish_sign):
    PSEUDO_GRADIENTS.add(_function.__name__, _function)


def straight_through(x: Any, quantize: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> Any:
    """``quantize(x)``, whose gradient towards ``x`` is taken to be ``derivative(x)``, element by element.

    Neither function may read a variable that is to get a gradient: give the gradients of those explicitly.
    """
    import tensorflow as tf

    @tf.custom_gradient
    def call(values: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            return upstream if derivative is identity else upstream * derivative(values)

        return quantize(values), gradient

    return call(x)
