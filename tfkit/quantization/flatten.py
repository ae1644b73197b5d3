"""Nested models opened: one graph of calls, and one Keras model made from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfkit._keras import is_keras_tensor, legacy_keras, mapped, node_of
from tfkit.metadata import attach_metadata, metadata_of
from tfkit.quantization.calls import Call, Graph, Names

keras = legacy_keras()


def is_graph(model: Any) -> bool:
    """Whether a model is functional or sequential and built, so that its layers can be seen."""
    try:
        return bool(model.outputs) and all(node_of(tensor) is not None for tensor in model.outputs)
    except AttributeError:
        return False


def flatten(model: Any) -> Any:
    """A functional copy of ``model`` in which the layers of nested models are called directly.

    Nested models may be nested again, have several inputs and outputs, and be called several times; layers that are
    called several times stay shared. Layers keep their names; inside nested models, where a name is taken, the name
    of the nested model comes before it. Weights and metadata are kept, mixed precision becomes float32.

    Raises:
        ValueError: a layer cannot be made from its configuration.
    """
    shared: dict[int, Any] = {}

    def call(made: Call, tensors: list[Any]) -> Any:
        fresh = id(made.layer) not in shared
        layer = shared.setdefault(id(made.layer), copy_of(made)) if fresh else shared[id(made.layer)]
        result = called(layer, made, tensors)
        if fresh and made.values():
            layer.set_weights(made.values())
        return result

    return attach_metadata(build(read(model), call), metadata_of(model))


def read(model: Any) -> Graph:
    """The calls of a functional or sequential model, those of nested models included."""
    outer = [layer.name for layer in model.layers if not _is_nested(layer)]
    names = Names(outer)
    given = {id(tensor): node_of(tensor).layer for tensor in model.inputs}
    inputs = [
        Call(given[id(tensor)], [], given[id(tensor)].name, tuple(tensor.shape.as_list())) for tensor in model.inputs
    ]
    first = {id(layer): layer.name for layer in model.layers if not _is_nested(layer)}
    return Graph(model.name, inputs, _Reader(names, first).outputs(model, inputs, ()))


def build(
    graph: Graph, call: Callable[[Call, list[Any]], Any], at_input: Callable[[Any], Any] = lambda tensor: tensor
) -> Any:
    """A Keras model: ``call`` gets every call but the inputs, with the tensors it reads, and returns its tensor.

    ``at_input`` makes what is read of an input.
    """
    inputs = [
        keras.layers.Input(batch_shape=made.shape, name=made.name, dtype=made.layer.dtype) for made in graph.inputs
    ]
    tensors = {id(made): at_input(tensor) for made, tensor in zip(graph.inputs, inputs, strict=True)}
    for made in graph.calls():
        if id(made) not in tensors:
            tensors[id(made)] = call(made, [tensors[id(given)] for given in made.inputs])
    outputs = [tensors[id(made)] for made in graph.outputs]
    return keras.Model(_one_or_all(inputs), _one_or_all(outputs), name=graph.name)


def called(layer: Any, call: Call, tensors: list[Any]) -> Any:
    """What ``layer`` gives for ``tensors`` in the place of ``call``, whose other arguments it gets too."""
    if call.args or call.kwargs:
        given = dict(zip(map(id, call.inputs), tensors, strict=True))
        args, kwargs = mapped((call.args, dict(call.kwargs)), lambda x: given[id(x)] if isinstance(x, Call) else x)
        result = layer(*args, **kwargs)
    else:
        result = layer(tensors[0] if len(tensors) == 1 else tensors)
    return result[call.index] if isinstance(result, list | tuple) else result


def copy_of(call: Call) -> Any:
    """A new layer with the configuration and name of the call, in float32 whatever the precision it had."""
    config = call.layer.get_config()
    config["name"] = call.name
    if "dtype" in config and not _is_float32(config["dtype"]):
        config["dtype"] = "float32"
    return type(call.layer).from_config(config)


def _is_float32(policy: Any) -> bool:
    return not (isinstance(policy, dict) or "16" in str(policy))


def _is_nested(layer: Any) -> bool:
    return isinstance(layer, keras.Model) and is_graph(layer)


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


class _Reader:
    def __init__(self, names: Names, first: dict[int, str]) -> None:
        self._names = names
        self._first = first  # names of the outermost layers, reserved until their first call

    def outputs(self, model: Any, inputs: list[Call], path: tuple[str, ...]) -> list[Call]:
        """The calls that make the model's outputs when it reads ``inputs``."""
        results = {id(tensor): call for tensor, call in zip(model.inputs, inputs, strict=True)}
        for node in _nodes(model):
            if all(id(tensor) in results for tensor in _flat(node.outputs)):
                continue
            tensors = [tensor for tensor in _flat((node.call_args, node.call_kwargs)) if is_keras_tensor(tensor)]
            given = [results[id(tensor)] for tensor in tensors]
            if _is_nested(node.layer):
                made = self.outputs(node.layer, given, (*path, node.layer.name))
            else:
                made = self._calls(node, given, results, path)
            results.update(zip(map(id, _flat(node.outputs)), made, strict=True))
        return [results[id(tensor)] for tensor in model.outputs]

    def _calls(self, node: Any, given: list[Call], results: dict[int, Call], path: tuple[str, ...]) -> list[Call]:
        layer = node.layer
        if id(layer) in self._first:
            name = self._first.pop(id(layer))
        else:
            name = self._names.unique(layer.name, "_".join((*path, layer.name)))
        args: tuple[Any, ...] = ()
        kwargs: dict[str, Any] = {}
        if not _takes_tensors_only(node):
            args, kwargs = mapped(
                (tuple(node.call_args), dict(node.call_kwargs)),
                lambda x: results[id(x)] if is_keras_tensor(x) else x,
            )
        return [
            Call(
                layer,
                given,
                self._names.unique(f"{name}_{index}") if index else name,
                tuple(tensor.shape.as_list()),
                args=args,
                kwargs=kwargs,
                index=index,
            )
            for index, tensor in enumerate(_flat(node.outputs))
        ]


def _takes_tensors_only(node: Any) -> bool:
    """Whether a call is ``layer(tensor)`` or ``layer([tensors])``, apart from what Keras adds by itself."""
    first = node.call_args[0] if len(node.call_args) == 1 else None
    plain = is_keras_tensor(first) or (isinstance(first, list | tuple) and all(is_keras_tensor(x) for x in first))
    return plain and all(value is None for value in node.call_kwargs.values())


def _nodes(model: Any) -> list[Any]:
    """The nodes between a model's inputs and outputs, producers first."""
    ends = {id(tensor) for tensor in model.inputs}
    ordered: dict[int, Any] = {}
    waiting = [node_of(tensor) for tensor in reversed(model.outputs) if id(tensor) not in ends]
    while waiting:
        node = waiting[-1]
        before = [node_of(tensor) for tensor in _flat(node.keras_inputs) if id(tensor) not in ends]
        missing = [] if id(node) in ordered else [n for n in before if id(n) not in ordered]
        if missing:
            waiting.extend(reversed(missing))
            continue
        ordered.setdefault(id(node), node)
        waiting.pop()
    return list(ordered.values())


def _flat(structure: Any) -> list[Any]:
    import tensorflow as tf

    return list(tf.nest.flatten(structure))
