"""Count MACs and parameters from layer shapes, without running the model.

One MAC is one multiplication with its addition. Convolutions and dense layers count; biases, normalizations,
activations and pooling do not, as in the tables of the papers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from tfkit._errors import UnsupportedError
from tfkit._keras import legacy_keras
from tfkit.layers import is_binary

keras = legacy_keras()


@dataclass(frozen=True)
class LayerCount:
    """One layer: ``precision`` ("binary", "int8" or "float32") is what its MACs are computed in."""

    name: str
    kind: str
    precision: str
    params: int
    macs: int


@dataclass(frozen=True)
class ModelCount:
    """A model's layers in order, and sums over them; MACs are for one sample."""

    layers: tuple[LayerCount, ...]

    @property
    def params(self) -> int:
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def macs_by_precision(self) -> dict[str, int]:
        """MACs by "binary", "int8" and "float32"; precisions without MACs are left out."""
        found: dict[str, int] = {}
        for layer in self.layers:
            if layer.macs:
                found[layer.precision] = found.get(layer.precision, 0) + layer.macs
        return found


def count(model: Any) -> ModelCount:
    """Count every layer of a functional or sequential model with a fixed input shape.

    Quantize and pruning wrappers are looked through; their ranges and masks are no parameters.

    Raises:
        UnsupportedError: a shape is not known until the model runs.
    """
    return ModelCount(tuple(_count_layer(layer) for layer in model.layers))


def _count_layer(layer: Any) -> LayerCount:
    inner = getattr(layer, "layer", layer)
    formula = next((formula for kind, formula in _FORMULAS if isinstance(inner, kind)), None)
    macs = formula(inner, _shape(layer, "input_shape"), _shape(layer, "output_shape")) if formula else 0
    params = sum(prod(weight.shape) for weight in inner.weights)
    return LayerCount(inner.name, type(inner).__name__, _precision(layer, inner), params, macs)


def _precision(layer: Any, inner: Any) -> str:
    if is_binary(getattr(inner, "input_quantizer", None)):
        kernels = [getattr(inner, f"{part}_quantizer", None) for part in ("kernel", "depthwise", "pointwise")]
        if any(is_binary(kernel) for kernel in kernels):
            return "binary"
    return "int8" if type(layer).__name__.startswith("QuantizeWrapper") else "float32"


def _shape(layer: Any, attribute: str) -> tuple[int, ...]:
    shape = getattr(layer, attribute)
    shape = shape[0] if isinstance(shape, list) else shape
    if any(size is None for size in shape[1:]):
        raise UnsupportedError(f"{layer.name!r} has the open shape {shape}; build the model with a fixed input shape")
    return tuple(shape[1:])


def _convolution(layer: Any, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> int:
    return prod(outputs) * prod(layer.kernel_size) * inputs[-1] // layer.groups


def _transposed(layer: Any, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> int:
    return prod(inputs) * prod(layer.kernel_size) * layer.filters


def _depthwise(layer: Any, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> int:
    return prod(outputs) * prod(layer.kernel_size)


def _separable(layer: Any, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> int:
    between = inputs[-1] * layer.depth_multiplier
    return prod(outputs[:-1]) * between * (prod(layer.kernel_size) + layer.filters)


def _dense(layer: Any, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> int:
    return prod(outputs) * inputs[-1]


# The first match counts: transposed, depthwise and separable layers are convolutions too in Keras.
_FORMULAS: tuple[tuple[Any, Callable[[Any, tuple[int, ...], tuple[int, ...]], int]], ...] = (
    ((keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose, keras.layers.Conv1DTranspose), _transposed),
    ((keras.layers.DepthwiseConv2D, keras.layers.DepthwiseConv1D), _depthwise),
    ((keras.layers.SeparableConv1D, keras.layers.SeparableConv2D), _separable),
    ((keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D), _convolution),
    ((keras.layers.Dense,), _dense),
)
