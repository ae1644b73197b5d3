"""What rewriting rules make calls with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit.quantization import layers as own
from tfkit.quantization.activations import Function
from tfkit.quantization.calls import Call, Graph, Names, Shape

keras = legacy_keras()
layers = keras.layers

# TFLite fixes the scale of what these functions give: 1/256 from 0, and 1/128 around 0.
SIGMOID_LIMITS = (0.0, 255 / 256)
TANH_LIMITS = (-1.0, 127 / 128)


class Unsupported(Exception):
    """A call has no int8 form; the text completes the sentence "'name' (Kind) ..." and says what to do."""


@dataclass(frozen=True)
class Affine:
    """Stands in a call for y = scale · x + offset, one number or one per channel; ``patterns`` makes a layer of it."""

    scale: np.ndarray
    offset: np.ndarray

    def after(self, first: Affine) -> Affine:
        """This one of what ``first`` gives."""
        return Affine(self.scale * first.scale, self.scale * first.offset + self.offset)


class Rewriter:
    """Makes calls with names that are free, and collects offenders."""

    def __init__(self, graph: Graph) -> None:
        self.names = Names([call.name for call in graph.calls()])
        self.offenders: list[str] = []
        self.offended: set[int] = set()

    def offend(self, call: Call, reason: str) -> None:
        """Note that a call has no int8 form; nobody looks at it again."""
        self.offenders.append(f"{call.label} {reason}")
        self.offended.add(id(call))

    def layer(
        self,
        layer: Any,
        inputs: Sequence[Call],
        name: str,
        weights: Sequence[np.ndarray] | None = None,
        limits: tuple[float, float] | None = None,
    ) -> Call:
        """A call of a new layer; its weights are what its initializers give unless they are told."""
        shapes = [_with_batch(call.shape) for call in inputs]
        shape = layer.compute_output_shape(shapes[0] if len(shapes) == 1 else shapes)
        return Call(layer, list(inputs), name, (None, *tuple(shape)[1:]), weights, limits=limits)

    def affine(self, x: Call, scale: Any, offset: Any, name: str, limits: tuple[float, float] | None = None) -> Call:
        """y = scale · x + offset; both are one number or one per channel (the last axis)."""
        numbers = [_per_channel(value, x.shape) for value in (scale, offset)]
        return Call(Affine(*numbers), [x], name, x.shape, (), limits=limits)

    def reshaped(self, x: Call, shape: Sequence[int | None], name: str) -> Call:
        """The values of every sample in another shape."""
        return self.layer(layers.Reshape([-1 if size is None else size for size in shape]), [x], name)

    def resize(self, x: Call, shape: Shape, method: str, name: str) -> Call:
        """To the height and width of ``shape`` [batch, height, width, channels]."""
        if method not in ("nearest", "bilinear"):
            raise Unsupported(f"resizes by {method!r}; TFLite has int8 kernels for 'nearest' and 'bilinear'")
        if None in shape[1:3]:
            raise Unsupported("resizes to a free size; give the network an input of fixed height and width")
        return self.layer(own.Resize(int(shape[1] or 0), int(shape[2] or 0), method), [x], name)

    def activation(self, function: Function, x: Call, name: str) -> Call:
        """``function`` of ``x`` in one or two calls, the last one called ``name``."""
        match function.name:
            case "linear":
                return x
            case "relu":
                top = function.top
                if top in (None, 6):
                    return self.layer(layers.ReLU(top), [x], name)
                # The range cuts off at the top; MINIMUM would be another op.
                return self.layer(layers.ReLU(), [x], name, limits=(0.0, float(top or 0)))
            case "leaky_relu":
                return self.layer(layers.LeakyReLU(function.slope), [x], name)
            case "hard_swish":
                return self.layer(own.HardSwish(), [x], name)
            case "gelu" | "gelu_tanh":
                return self.layer(own.Gelu(function.name == "gelu_tanh"), [x], name)
            case "swish":
                gate = self.sigmoid(x, self.names.unique(f"{name}_sigmoid"))
                return self.layer(layers.Multiply(), [x, gate], name)
            case "sigmoid":
                return self.sigmoid(x, name)
            case "tanh" | "softmax":
                limits = TANH_LIMITS if function.name == "tanh" else SIGMOID_LIMITS
                return self.layer(layers.Activation(function.name), [x], name, limits=limits)
            case "clip":
                return self.affine(x, function.slope, function.offset, name, limits=(0.0, 1.0))
        raise Unsupported(f"is {function.name}, which has no int8 form")

    def sigmoid(self, x: Call, name: str) -> Call:
        """1 / (1 + exp(-x))."""
        return self.layer(layers.Activation("sigmoid"), [x], name, limits=SIGMOID_LIMITS)


def renamed(call: Call, name: str) -> Call:
    """The same call under another name."""
    return replace(call, name=name)


def _with_batch(shape: Shape) -> Shape:
    return (None, *shape[1:])


def _per_channel(value: Any, shape: Shape) -> np.ndarray:
    array = np.asarray(value, np.float64)
    if array.size == 1:
        return array.reshape(())
    if array.shape[-1] == array.size == shape[-1]:
        return array.reshape(-1)
    raise Unsupported(
        f"combines a tensor of shape {shape[1:]} with constants of shape {array.shape}; "
        "give one number, or one per channel"
    )
