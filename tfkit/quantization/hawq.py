"""Which layers need bits most: the curvature of the loss along their kernels, by power iteration (HAWQ)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit._keras import flat_layers, legacy_keras

keras = legacy_keras()

_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


@dataclass(frozen=True)
class Sensitivity:
    """One kernel: the largest eigenvalue of the Hessian of the loss restricted to it, and what the method makes of it.

    Attributes:
        layer: name of the layer.
        kernel: the attribute that holds the kernel.
        weights: how many it has.
        eigenvalue: λ, of largest magnitude.
    """

    layer: str
    kernel: str
    weights: int
    eigenvalue: float

    @property
    def per_weight(self) -> float:
        """λ / n, by which bit widths are ranked: many weights in few bits save most."""
        return self.eigenvalue / self.weights


def hessian_ranking(
    model: Any,
    x: Any,
    y: Any,
    *,
    loss: Callable[[Any, Any], Any] | None = None,
    iterations: int = 50,
    tolerance: float = 1e-3,
    seed: int = 0,
) -> list[Sensitivity]:
    """The kernels of ``model``, most sensitive per weight first.

    For the block H of the Hessian of the loss that belongs to a kernel: v ← H v / |H v| from a random v, until
    λ = vᵀH v changes by less than ``tolerance`` of itself; H v is the gradient of gᵀv, g the gradient of the loss.

    Args:
        model: built and trained, in float: quantizers hide the curvature, their derivative being a stand-in.
        x, y: a batch that stands for the data, x a list for a model with several inputs; its mean loss is looked at,
            without dropout and with fixed statistics.
        loss: (y, outputs) -> values to average; the model's own when it is compiled, if absent.
        iterations: the most that are made for a kernel.
        tolerance: relative change of λ at which a kernel is done.
        seed: of the first v.

    Raises:
        UsageError: no kernel, quantized kernels, or neither ``loss`` nor a compiled model.

    Source: Dong et al. 2019, https://arxiv.org/abs/1905.03696, section 3 and algorithm 1 (power iteration).
    """
    import tensorflow as tf

    kernels = _kernels(model)
    function = _loss(model) if loss is None else loss
    inputs, labels = tf.nest.map_structure(tf.convert_to_tensor, x), tf.convert_to_tensor(y)

    def curvature(variable: Any, direction: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(variable)
            with tf.GradientTape() as inner:
                inner.watch(variable)
                value = tf.reduce_mean(function(labels, model(inputs, training=False)))
            slope = tf.reduce_sum(inner.gradient(value, variable) * direction)
        return outer.gradient(slope, variable, unconnected_gradients="zero")

    rng = np.random.default_rng(seed)
    found = []
    for layer, name, variable in kernels:
        product = tf.function(lambda direction, variable=variable: curvature(variable, direction))
        direction = rng.normal(size=tuple(variable.shape)).astype(np.float32)
        value = _largest(product, direction / np.linalg.norm(direction), iterations, tolerance)
        found.append(Sensitivity(layer.name, name, int(np.prod(variable.shape)), value))
    return sorted(found, key=lambda one: -abs(one.per_weight))


def bit_widths(ranking: Sequence[Sensitivity], average: float, choices: Sequence[int] = (8, 4, 3, 2)) -> dict[str, int]:
    """Bits for each layer, no more for a less sensitive one, with at most ``average`` bits per weight over all.

    Layers begin with the fewest of ``choices``; from the most sensitive one on, each takes the most bits that the
    budget and the layer before it allow.

    Raises:
        UsageError: even the fewest bits are above ``average``.

    Source: Dong et al. 2019, https://arxiv.org/abs/1905.03696, section 3.2: the order of bit widths follows that of
    λ / n; the paper sets the widths themselves by hand.
    """
    widths = sorted({int(width) for width in choices}, reverse=True)
    total = sum(one.weights for one in ranking)
    left = average * total - widths[-1] * total
    if not ranking or left < 0:
        raise UsageError(f"{average:g} bits per weight are below the fewest of the choices, {widths[-1]}; allow more")
    found: dict[str, int] = {}
    highest = widths[0]
    for one in sorted(ranking, key=lambda part: -abs(part.per_weight)):
        taken = next(w for w in widths if w <= highest and (w - widths[-1]) * one.weights <= left)
        left -= (taken - widths[-1]) * one.weights
        highest = taken
        found[one.layer] = min(found.get(one.layer, taken), taken)
    return found


def _largest(product: Callable[[Any], Any], direction: np.ndarray, iterations: int, tolerance: float) -> float:
    value = 0.0
    for _ in range(iterations):
        image = product(direction).numpy()
        before, value = value, float((direction * image).sum())
        length = float(np.linalg.norm(image))
        if length == 0 or abs(value - before) <= tolerance * abs(value):
            break
        direction = image / length
    return value


def _kernels(model: Any) -> list[tuple[Any, str, Any]]:
    from tfkit.layers import kernel_quantizers

    found = []
    for layer in flat_layers(model):
        for name in _KERNELS:
            variable = getattr(layer, name, None)
            if variable is None or not hasattr(variable, "shape"):
                continue
            if kernel_quantizers(layer):
                raise UsageError(
                    f"{layer.name!r} has a quantized kernel, whose curvature is that of a stand-in; "
                    "rank the float network, then build the quantized one with the bits found"
                )
            found.append((layer, name, variable))
    if not found:
        raise UsageError(f"{getattr(model, 'name', 'the model')!r} has no kernels to rank; build it first")
    return found


def _loss(model: Any) -> Callable[[Any, Any], Any]:
    own = getattr(model, "loss", None)
    if own is None:
        raise UsageError("say which loss to look at: hessian_ranking(..., loss=...), or compile the model")
    return keras.losses.get(own)
