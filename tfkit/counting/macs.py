"""Multiply-accumulates of one call of one layer, from its shapes.

One MAC is one multiplication with its addition. Convolutions and dense layers have some; biases, normalizations,
activations and pooling do not count, as in the tables of the papers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.layers import is_binary

keras = legacy_keras()
layers = keras.layers

Shape = tuple[int, ...]  # without the batch axis


def macs_by_precision(layer: Any, inputs: Shape, outputs: Shape, otherwise: str) -> dict[str, int]:
    """MACs of one call for one sample, by "binary", "int8" or "float32"; ``otherwise`` is that of what is not binary.

    A separable convolution is two: its pointwise half reads sums, which are no signs, so at most its depthwise
    half is binary.
    """
    if isinstance(layer, _SEPARABLE):
        depthwise, pointwise = _separable(layer, inputs, outputs)
        first = "binary" if _binary(layer, "depthwise_quantizer") else otherwise
        if first == otherwise:
            return {otherwise: depthwise + pointwise}
        return {first: depthwise, otherwise: pointwise}
    formula = next((formula for kinds, formula in _FORMULAS if isinstance(layer, kinds)), None)
    if formula is None:
        return {}
    binary = _binary(layer, "kernel_quantizer") or _binary(layer, "depthwise_quantizer")
    return {"binary" if binary else otherwise: formula(layer, inputs, outputs)}


def has_formula(layer: Any) -> bool:
    """Whether the layer's MACs are known."""
    return isinstance(layer, _SEPARABLE) or any(isinstance(layer, kinds) for kinds, _ in _FORMULAS)


def _binary(layer: Any, quantizer: str) -> bool:
    return is_binary(getattr(layer, "input_quantizer", None)) and is_binary(getattr(layer, quantizer, None))


def _channels(layer: Any, inputs: Shape) -> int:
    return inputs[0] if getattr(layer, "data_format", None) == "channels_first" else inputs[-1]


def _convolution(layer: Any, inputs: Shape, outputs: Shape) -> int:
    return prod(outputs) * prod(layer.kernel_size) * (_channels(layer, inputs) // getattr(layer, "groups", 1))


def _transposed(layer: Any, inputs: Shape, outputs: Shape) -> int:
    return prod(inputs) * prod(layer.kernel_size) * layer.filters


def _depthwise(layer: Any, inputs: Shape, outputs: Shape) -> int:
    return prod(outputs) * prod(layer.kernel_size)


def _separable(layer: Any, inputs: Shape, outputs: Shape) -> tuple[int, int]:
    between = prod(outputs) // layer.filters * _channels(layer, inputs) * layer.depth_multiplier
    return between * prod(layer.kernel_size), between * layer.filters


def _dense(layer: Any, inputs: Shape, outputs: Shape) -> int:
    return prod(outputs) * inputs[-1]


_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)

# The first match counts: transposed and depthwise layers are convolutions too in Keras.
_FORMULAS: tuple[tuple[tuple[Any, ...], Callable[[Any, Shape, Shape], int]], ...] = (
    ((layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose), _transposed),
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), _depthwise),
    ((layers.Conv1D, layers.Conv2D, layers.Conv3D), _convolution),
    ((layers.LocallyConnected1D, layers.LocallyConnected2D), _convolution),
    ((layers.Dense,), _dense),
)
