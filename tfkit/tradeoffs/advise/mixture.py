"""A float network of which some layers get quantizers of few bits or of one, each layer its own precision."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tfkit import layers as quantized
from tfkit import quantizers
from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import legacy_keras
from tfkit.layers import NotBinaryWarning
from tfkit.metadata import attach_metadata, metadata_of
from tfkit.quantization import is_quantize_aware
from tfkit.quantization.calls import Call, Graph
from tfkit.quantization.flatten import build, called, copy_of, is_graph, read

keras = legacy_keras()

BITS = {"few-bit": ("lsq_w2", "lsq_a2"), "binary": ("ste_sign", "ste_sign")}
_TWINS: dict[Any, Any] = {keras.layers.Conv2D: quantized.QuantConv2D, keras.layers.Dense: quantized.QuantDense}
# Layers that pass on what they read as far as signs go: values from 0 on stay so.
_PASSING = (
    *(keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D),
    *(keras.layers.GlobalMaxPooling2D, keras.layers.Flatten, keras.layers.Reshape, keras.layers.Dropout),
    *(keras.layers.ZeroPadding2D, keras.layers.Concatenate, keras.layers.Add, keras.layers.Multiply),
)
_NEVER_NEGATIVE = ("relu", "relu6", "sigmoid", "softmax", "hard_sigmoid")


@dataclass(frozen=True)
class Layer:
    """A convolution or dense layer that may get another precision; ``refused``: precision -> why it may not."""

    name: str
    kind: str
    refused: Mapping[str, str]


def layers_of(model: Any) -> tuple[Layer, ...]:
    """The layers that could carry few bits or one: all but the first and the last kernel.

    Raises:
        UnsupportedError: a model whose layers cannot be seen, one that is quantization-aware already, or one with
            fewer than three kernels.
    """
    graph = _graph(model)
    kernels = _kernels(graph)
    if len(kernels) < 3:
        raise UnsupportedError(
            f"{graph.name!r} has {len(kernels)} float convolutions and dense layers, of which the first and the last "
            "stay as they are; there is nothing to choose"
        )
    readers = graph.readers()
    return tuple(Layer(call.name, type(call.layer).__name__, _refusals(call, readers)) for call in kernels[1:-1])


def mixed(model: Any, choice: Mapping[str, str]) -> Any:
    """A copy of ``model`` whose layers named in ``choice`` have the quantizers of "few-bit" or "binary"; weights kept.

    A ReLU that only such layers read is left out: the quantizer takes its place.

    Raises:
        UsageError: a name that is no such layer.
    """
    graph = _graph(model)
    names = {call.name: id(call.layer) for call in _kernels(graph)}
    unknown = [name for name in choice if name not in names]
    if unknown:
        raise UsageError(f"{graph.name!r} has no float convolution or dense layer {unknown[0]!r}")
    chosen = {names[name]: BITS[precision] for name, precision in choice.items()}
    readers = graph.readers()
    plain = {
        id(call.layer)
        for call in graph.calls()
        if _is_relu(call.layer) and (ends := list(_ends(call, readers))) and all(end in chosen for end in ends)
    }
    made: dict[int, Any] = {}

    def call(part: Call, tensors: list[Any]) -> Any:
        fresh = id(part.layer) not in made
        if fresh:
            made[id(part.layer)] = _layer(part, chosen.get(id(part.layer)), id(part.layer) in plain)
        result = called(made[id(part.layer)], part, tensors)
        if fresh:
            _keep_weights(part.layer, made[id(part.layer)])
        return result

    metadata = metadata_of(model)
    return attach_metadata(build(graph, call), replace(metadata, scheme="quantized" if choice else metadata.scheme))


def _graph(model: Any) -> Graph:
    if not isinstance(model, keras.Model) or not is_graph(model):
        raise UnsupportedError(
            f"{getattr(model, 'name', type(model).__name__)!r} is no functional or sequential tf_keras model, so its "
            "layers cannot be given other precisions; build it with tf_keras (TF_USE_LEGACY_KERAS=1)"
        )
    if is_quantize_aware(model):
        raise UnsupportedError(f"{model.name!r} is quantization-aware already; give the float model that it came from")
    return read(model)


def _kernels(graph: Graph) -> list[Call]:
    """The first call of each float convolution and dense layer."""
    found: dict[int, Call] = {}
    for call in graph.calls():
        if type(call.layer) in _TWINS:
            found.setdefault(id(call.layer), call)
    return list(found.values())


def _refusals(call: Call, readers: Mapping[int, list[Call | None]]) -> dict[str, str]:
    found = {}
    if getattr(call.layer, "groups", 1) > 1:
        reason = "it is a grouped convolution"
        found = dict.fromkeys(BITS, reason)
    elif _never_negative(call.inputs[0], id(call.layer), readers):
        found["binary"] = "it reads values that are never negative, and that other layers read too: all signs are +1"
    return found


def _never_negative(source: Call, reader: int, readers: Mapping[int, list[Call | None]]) -> bool:
    """Whether all of ``source`` is 0 or more, also without the ReLU that only ``reader`` reads."""
    layer = source.layer
    if _is_relu(layer) and set(_ends(source, readers)) == {reader}:
        return isinstance(layer, keras.layers.ReLU) and _never_negative(source.inputs[0], reader, readers)
    if isinstance(layer, keras.layers.ReLU):
        return float(layer.negative_slope or 0) == 0
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    if activation in _NEVER_NEGATIVE:
        return True
    return isinstance(layer, _PASSING) and all(_never_negative(given, reader, readers) for given in source.inputs)


def _ends(call: Call, readers: Mapping[int, list[Call | None]]) -> Iterator[int | None]:
    """ids of the layers that read ``call``, through poolings and reshapes; None: an output, or some other layer."""
    for reader in readers[id(call)]:
        if reader is None:
            yield None
        elif isinstance(reader.layer, _PASSING) and len(reader.inputs) == 1:
            yield from _ends(reader, readers)
        else:
            yield id(reader.layer)


def _is_relu(layer: Any) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return float(layer.negative_slope or 0) == 0
    return getattr(layer, "activation", None) is keras.activations.relu


def _layer(part: Call, pair: tuple[str, str] | None, is_plain: bool) -> Any:
    if is_plain and isinstance(part.layer, keras.layers.ReLU):
        return keras.layers.Activation("linear", name=part.name)
    if pair is None and not is_plain:
        return copy_of(part)
    config = {**part.layer.get_config(), "name": part.name}
    cls: Any = type(part.layer)
    if is_plain:
        config["activation"] = "linear"
    if pair is not None:
        cls = _TWINS[cls]
        config["kernel_quantizer"], config["input_quantizer"] = pair
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotBinaryWarning)  # the ledger says what became of it
        return cls.from_config(config)


def _keep_weights(source: Any, copy: Any) -> None:
    if type(copy) not in _TWINS.values():
        copy.set_weights(source.get_weights())
        return
    kernel = getattr(copy.kernel, "latent_variable", copy.kernel)
    kernel.assign(source.kernel)
    if source.use_bias:
        copy.bias.assign(source.bias)
    if isinstance(copy.kernel_quantizer, quantizers.Quantizer):
        copy.kernel_quantizer.start(kernel.numpy())
