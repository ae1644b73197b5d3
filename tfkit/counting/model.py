"""``count``: operations, parameters and memory of a model, layer by layer, without running it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit._units import format_bytes
from tfkit.counting.calls import Call, calls_of
from tfkit.counting.macs import has_formula, macs_by_precision
from tfkit.counting.memory import inner, peak_bytes, stored_maps
from tfkit.counting.zeros import filled_share, nonzero_weights
from tfkit.layers import is_binary

keras = legacy_keras()

# Bits of one stored parameter.
_BITS = {"binary": 1, "int2": 2, "int4": 4, "int8": 8, "int32": 32, "float32": 32}
# What TF-MOT adds to a layer that it wraps.
_RANGES = re.compile(r"(.*_(min|max)|.*(min|max)_var|optimizer_step|unquantized_.*)(_\d+)?")
_KERNELS = {"kernel", "depthwise_kernel", "pointwise_kernel"}


@dataclass(frozen=True)
class LayerCount:
    """One layer, over all its uses; operations and activations are for one sample.

    Attributes:
        name: the layer's name, behind those of the models that it is in: ``backbone/stem``.
        kind: its class.
        precision: what (most of) its MACs are computed in: "binary", "int8" or "float32".
        params: its weights, normalization statistics included, as Keras counts them.
        macs: multiplications with an addition.
        macs_by_precision: the same by precision; more than one for a binary separable convolution.
        params_by_precision: weights by how they are stored: "binary", "int8", "int32" (biases of int8 layers), ...
        nonzero_params: ``params`` without the zeros in kernels, as pruning leaves them.
        nonzero_macs: ``macs`` without those with a zero of a kernel.
        weight_bytes: of all weights, each stored in its precision, zeros included.
        activations: values of the feature maps that it stores.
        activation_bytes: the same in bytes.
        nonzero_activations: ``activations`` without the channels of filters that are all zero.
    """

    name: str
    kind: str
    precision: str
    params: int
    macs: int
    macs_by_precision: Mapping[str, int] = field(default_factory=dict)
    params_by_precision: Mapping[str, int] = field(default_factory=dict)
    nonzero_params: int = 0
    weight_bytes: int = 0
    activations: int = 0
    activation_bytes: int = 0
    nonzero_macs: int = 0
    nonzero_activations: int = 0


@dataclass(frozen=True)
class ModelCount:
    """A model's layers in order, and sums over them; operations and activations are for one sample.

    The four metrics of the survey's Figure 4 (Roth et al., "Resource-Efficient Neural Networks for Embedded
    Systems", https://arxiv.org/abs/2001.03048, section 5.1.2) are ``flops``, ``params``, ``activations`` and
    ``memory`` = params + activations. The figure does not say what an activation is; here it is a value of a
    feature map that is stored: outputs of convolutions, dense layers, poolings, additions and concatenations,
    while normalizations, activation functions and reshapes work in place.

    Each has a ``nonzero_`` form, what a runtime would need that skips every zero: what pruning gives before
    ``tfkit.shrink`` takes the zeros out. Maps behind additions, poolings and concatenations count whole in it.

    Attributes:
        layers: one entry per layer.
        peak_activation_bytes: the most bytes of feature maps alive at once, the input included.
        uncounted: names of layers with kernels whose operations are not known, and so are missing.
    """

    layers: tuple[LayerCount, ...]
    peak_activation_bytes: int = 0
    uncounted: tuple[str, ...] = ()

    @property
    def params(self) -> int:
        return sum(layer.params for layer in self.layers)

    @property
    def nonzero_params(self) -> int:
        return sum(layer.nonzero_params for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def nonzero_macs(self) -> int:
        return sum(layer.nonzero_macs for layer in self.layers)

    @property
    def nonzero_flops(self) -> int:
        return 2 * self.nonzero_macs

    @property
    def nonzero_activations(self) -> int:
        return sum(layer.nonzero_activations for layer in self.layers)

    @property
    def nonzero_memory(self) -> int:
        """``memory`` without zeros."""
        return self.nonzero_params + self.nonzero_activations

    @property
    def flops(self) -> int:
        """Two operations per MAC: a multiplication and an addition."""
        return 2 * self.macs

    @property
    def macs_by_precision(self) -> dict[str, int]:
        """MACs by "binary", "int8" and "float32"; precisions without MACs are left out."""
        return _added(layer.macs_by_precision for layer in self.layers)

    @property
    def params_by_precision(self) -> dict[str, int]:
        """Weights by how they are stored."""
        return _added(layer.params_by_precision for layer in self.layers)

    @property
    def activations(self) -> int:
        """Values of all feature maps that are stored, the input not included."""
        return sum(layer.activations for layer in self.layers)

    @property
    def memory(self) -> int:
        """Parameters plus activations, in values, as Figure 4 plots it."""
        return self.params + self.activations

    @property
    def weight_bytes(self) -> int:
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        """Bytes of all feature maps that are stored; far from all of them at the same time."""
        return sum(layer.activation_bytes for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        names = (
            *("params", "params_by_precision", "nonzero_params", "macs", "macs_by_precision", "flops"),
            *("activations", "memory", "weight_bytes", "activation_bytes", "peak_activation_bytes"),
            *("nonzero_macs", "nonzero_flops", "nonzero_activations", "nonzero_memory"),
        )
        return {
            **{name: getattr(self, name) for name in names},
            "uncounted": list(self.uncounted),
            "layers": [asdict(layer) for layer in self.layers],
        }

    def table(self) -> str:
        """Fixed-width text: one line per layer that has something to count, and the totals."""
        rows = [
            ("layer", "kind", "precision", "params", "nonzero", "MACs", "activations", "weights", "feature maps"),
            *(
                _row(layer.name, layer.kind, layer.precision if layer.macs else "", layer)
                for layer in self.layers
                if layer.params or layer.macs or layer.activations
            ),
            _row("total", "", "", self),
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if column < 3 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        by_precision = ", ".join(f"{macs:,} {precision}" for precision, macs in self.macs_by_precision.items())
        lines.append(
            f"MACs: {by_precision or 'none'}; feature maps at once: {format_bytes(self.peak_activation_bytes)}"
        )
        if self.nonzero_macs != self.macs:
            lines.append(
                f"without zeros: {self.nonzero_macs:,} MACs, {self.nonzero_params:,} params, "
                f"{self.nonzero_activations:,} activations"
            )
        if self.uncounted:
            lines.append(f"operations not known, and not counted: {', '.join(self.uncounted)}")
        return "\n".join(lines)


def count(model: Any) -> ModelCount:
    """Count every layer of a functional or sequential model with a fixed input shape.

    Models inside the model are taken apart; a layer that is used n times has n times its operations and once its
    parameters. Quantize and pruning wrappers are looked through: their ranges and masks are no parameters.

    Raises:
        UnsupportedError: the model is subclassed or not built, or a shape is not known until it runs.
    """
    calls, outputs = calls_of(model)
    maps = stored_maps(calls, outputs)
    by_layer: dict[int, list[int]] = {}
    for number, call in enumerate(calls):
        by_layer.setdefault(id(call.layer), []).append(number)
    values, sizes = [0] * len(calls), [0] * len(calls)
    for found in maps:
        if calls[found.maker].inputs:  # the model's inputs are no activations
            values[found.maker] += found.values
            sizes[found.maker] += found.size
    counts, uncounted = [], []
    for numbers in by_layer.values():
        uses = [calls[number] for number in numbers]
        counts.append(_layer_count(uses, sum(values[n] for n in numbers), sum(sizes[n] for n in numbers)))
        layer = inner(uses[0].layer)
        known = has_formula(layer) or isinstance(layer, (keras.layers.PReLU, keras.layers.Embedding))
        if not known and any(len(weight.shape) > 1 for weight in layer.trainable_weights):
            uncounted.append(uses[0].path)
    return ModelCount(tuple(counts), peak_bytes(maps, len(calls)), tuple(uncounted))


def _layer_count(uses: list[Call], values: int, size: int) -> LayerCount:
    wrapper, layer = uses[0].layer, inner(uses[0].layer)
    quantized = type(wrapper).__name__.startswith("QuantizeWrapper")
    macs = _added(
        macs_by_precision(layer, call.input_shapes[0], call.output_shapes[0], "int8" if quantized else "float32")
        for call in uses
        if call.inputs
    )
    params: dict[str, int] = {}
    zeros, in_kernels, filled = 0, 0, 1.0
    for weight in _weights(wrapper, quantized):
        precision = _stored_as(weight, layer, quantized)
        params[precision] = params.get(precision, 0) + prod(weight.shape)
        if _role(weight) in _KERNELS:
            in_kernels += prod(weight.shape)
            if precision != "binary":
                nonzero = nonzero_weights(weight, wrapper)
                zeros += int(np.size(nonzero) - nonzero.sum())
                filled = filled_share(layer, nonzero)
    total, operations = sum(params.values()), sum(macs.values())
    return LayerCount(
        name=uses[0].path if not quantized else uses[0].path.removesuffix(wrapper.name) + layer.name,
        kind=type(layer).__name__,
        precision=max(macs, key=lambda name: macs[name]) if macs else "int8" if quantized else "float32",
        params=total,
        macs=operations,
        macs_by_precision=macs,
        params_by_precision=params,
        nonzero_params=total - zeros,
        weight_bytes=sum(-(-number * _BITS[precision] // 8) for precision, number in params.items()),
        activations=values,
        activation_bytes=size,
        # Every weight of a kernel is used as often.
        nonzero_macs=operations * (in_kernels - zeros) // in_kernels if in_kernels else operations,
        nonzero_activations=round(values * filled),
    )


def _weights(wrapper: Any, quantized: bool) -> list[Any]:
    if type(wrapper).__name__ == "QuantizeLayer":
        return []
    if quantized:  # TF-MOT moves a kernel from the layer to its wrapper
        return [weight for weight in wrapper.weights if not _RANGES.fullmatch(_role(weight))]
    return list(inner(wrapper).weights)


def _role(weight: Any) -> str:
    """The last part of a variable's name: "kernel", "bias", ..."""
    return str(weight.name.split("/")[-1].split(":")[0])


def _stored_as(weight: Any, layer: Any, quantized: bool) -> str:
    role = _role(weight)
    if role in _KERNELS:
        quantizer = getattr(
            layer, "kernel_quantizer" if role == "kernel" else role.replace("kernel", "quantizer"), None
        )
        if role == "depthwise_kernel" and quantizer is None:
            quantizer = getattr(layer, "kernel_quantizer", None)
        if is_binary(quantizer):
            return "binary"
        bits = getattr(quantizer, "precision", None)
        if bits is not None and 2 <= bits <= 8:
            return "int2" if bits == 2 else "int4" if bits <= 4 else "int8"
        return "int8" if quantized else "float32"
    return "int32" if quantized and role == "bias" else "float32"


def _added(parts: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts:
        for name, number in part.items():
            if number:
                found[name] = found.get(name, 0) + number
    return found


def _row(name: str, kind: str, precision: str, found: LayerCount | ModelCount) -> tuple[str, ...]:
    numbers = (found.params, found.nonzero_params, found.macs, found.activations)
    sizes = (found.weight_bytes, found.activation_bytes)
    return (name, kind, precision, *(f"{number:,}" for number in numbers), *map(format_bytes, sizes))
