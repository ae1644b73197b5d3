"""A network with the quantizers of one method in its layers, weights kept."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tfkit import layers as quantized
from tfkit import quantizers
from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.layers import NotBinaryWarning, is_binary
from tfkit.layers._binary import kernels_and_quantizers
from tfkit.metadata import attach_metadata, metadata_of
from tfkit.quantization.calls import Call, Graph
from tfkit.quantization.flatten import build, called, copy_of, is_graph, read

keras = legacy_keras()

# What is made quantized, exactly these: a subclass is something of its own.
_TWINS: dict[Any, Any] = {
    keras.layers.Conv1D: quantized.QuantConv1D,
    keras.layers.Conv2D: quantized.QuantConv2D,
    keras.layers.Dense: quantized.QuantDense,
}
_QUANTIZED: tuple[Any, ...] = tuple(_TWINS.values())
_PASSING = (  # the sign of what they give is the sign of something that they read
    keras.layers.MaxPooling1D,
    keras.layers.MaxPooling2D,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Dropout,
)


def quantize_layers(model: Any, kernel_quantizer: Any = None, input_quantizer: Any = None) -> Any:
    """A copy of ``model`` whose convolutions and dense layers have these quantizers.

    The first and the last kernel stay float, as in most papers. Where a model has quantized layers already, those get
    the quantizers instead, and nothing else does. ReLUs that only quantized layers read are left out: the quantizer
    takes their place, and signs and bases need the negative values too. Learned scales begin at the kernels.

    Args:
        model: functional or sequential; nested models are opened. Depthwise and other kernels stay as they are.
        kernel_quantizer, input_quantizer: a name such as "lsq_w2", a quantizer that is copied for every layer, or None.

    Returns:
        a functional model with the weights of ``model``; its metadata name the quantizers.

    Raises:
        UsageError: neither quantizer is given, one is made for the other place, no layer is left to quantize, or a
            sign would read a ReLU.
    """
    if kernel_quantizer is None and input_quantizer is None:
        raise UsageError('quantize_layers needs a kernel_quantizer, an input_quantizer or both, for example "lsq_w2"')
    pair = {
        "kernel_quantizer": _Copies(kernel_quantizer, "kernel"),
        "input_quantizer": _Copies(input_quantizer, "activations"),
    }
    if not is_graph(model):
        raise UsageError(f"{getattr(model, 'name', 'the model')!r} is neither functional nor sequential and built")
    graph = read(model)
    chosen = _chosen(graph)
    plain = set() if input_quantizer is None else _without_activation(graph, chosen, pair["input_quantizer"])
    made: dict[int, Any] = {}

    def call(part: Call, tensors: list[Any]) -> Any:
        fresh = id(part.layer) not in made
        if fresh:
            made[id(part.layer)] = _layer(part, id(part.layer) in chosen, id(part.layer) in plain, pair)
        layer = made[id(part.layer)]
        result = called(layer, part, tensors)
        if fresh:
            _keep_weights(part.layer, layer)
        return result

    metadata = metadata_of(model)
    names = {place: copies.name for place, copies in pair.items() if copies.name is not None}
    copy = build(graph, call)
    return attach_metadata(copy, replace(metadata, scheme="quantized", extra={**metadata.extra, **names}))


class _Copies:
    """One quantizer after the other, each with variables of its own."""

    def __init__(self, identifier: Any, role: str) -> None:
        self._identifier = identifier
        self.sample = quantizers.get(identifier, role)
        self.name = identifier if identifier is None or isinstance(identifier, str) else type(self.sample).__name__

    def new(self) -> Any:
        if isinstance(self._identifier, keras.layers.Layer):
            return type(self._identifier).from_config(self._identifier.get_config())
        return quantizers.get(self._identifier)


def _chosen(graph: Graph) -> set[int]:
    """ids of the layers that get the quantizers."""
    calls = graph.calls()
    already = {id(call.layer) for call in calls if isinstance(call.layer, _QUANTIZED)}
    if already:
        return already
    kernels = list(dict.fromkeys(id(call.layer) for call in calls if type(call.layer) in _TWINS))
    if len(kernels) < 3:
        raise UsageError(
            f"{graph.name!r} has {len(kernels)} convolutions and dense layers, of which the first and the last stay "
            "float; build it from tfkit.layers to quantize those too"
        )
    return set(kernels[1:-1])


def _without_activation(graph: Graph, chosen: set[int], copies: _Copies) -> set[int]:
    """ids of the layers whose ReLU is left out; refuses a sign that reads one which stays."""
    readers = graph.readers()

    def ends(call: Call) -> Iterator[bool]:
        for reader in readers[id(call)]:
            if reader is not None and isinstance(reader.layer, _PASSING):
                yield from ends(reader)
            else:
                yield reader is not None and id(reader.layer) in chosen

    activated = [call for call in graph.calls() if _is_relu(call.layer)]
    left_out = {id(call.layer) for call in activated if list(ends(call)) and all(ends(call))}
    if is_binary(copies.sample) or isinstance(copies.sample, quantizers.XnorActivations):
        for call in activated:
            if id(call.layer) not in left_out and any(ends(call)):
                raise UsageError(
                    f"the sign of {call.label}, a ReLU that other layers read too, is always +1; take a network whose "
                    "shortcuts are not activated (small_cnn, wrn_16_2, densenet_bc_100_12), or levels from 0 on: "
                    "input_quantizer='dorefa_a1'"
                )
    return left_out


def _is_relu(layer: Any) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return float(layer.negative_slope or 0) == 0
    return getattr(layer, "activation", None) is keras.activations.relu


def _layer(part: Call, quantizes: bool, is_plain: bool, pair: Mapping[str, _Copies]) -> Any:
    """The copy of the layer of a call, with the quantizers where they belong and its ReLU where it stays."""
    if is_plain and isinstance(part.layer, keras.layers.ReLU):
        return keras.layers.Activation("linear", name=part.name)
    if not quantizes and not is_plain:
        return copy_of(part)
    config = {**part.layer.get_config(), "name": part.name}
    cls: Any = type(part.layer)
    if is_plain:
        config["activation"] = "linear"
    if quantizes:
        cls = _TWINS.get(cls, cls)
        if isinstance(part.layer, _QUANTIZED):
            config.pop("pad_values", None)  # a one is no neutral value for every quantizer
            if isinstance(part.layer.kernel_constraint, larq.constraints.WeightClip):
                config["kernel_constraint"] = None  # comes again where the kernel is binary again
        config.update({place: copies.new() for place, copies in pair.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotBinaryWarning)  # weights alone, or bits that differ, are what was asked for
        return cls.from_config(config)


def _keep_weights(source: Any, copy: Any) -> None:
    if not isinstance(copy, _QUANTIZED):
        copy.set_weights(source.get_weights())
        return
    _latent(copy.kernel).assign(_latent(source.kernel))
    if source.use_bias:
        copy.bias.assign(source.bias)
    for _, kernel, quantizer in kernels_and_quantizers(copy):
        if isinstance(quantizer, quantizers.Quantizer):
            quantizer.start(_latent(kernel).numpy())


def _latent(kernel: Any) -> Any:
    return getattr(kernel, "latent_variable", kernel)
