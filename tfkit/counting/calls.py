"""A model as the list of calls that it makes, with models inside it taken apart."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfkit._errors import UnsupportedError
from tfkit._keras import legacy_keras, node_of

keras = legacy_keras()


@dataclass(frozen=True)
class Call:
    """One use of one layer. ``path`` is its name behind those of the models that it is in.

    Tensors are numbers: ``inputs`` those that it reads, ``outputs`` those that it makes, with their shapes
    without the batch axis.
    """

    path: str
    layer: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shapes: tuple[tuple[int, ...], ...]


def calls_of(model: Any) -> tuple[list[Call], tuple[int, ...]]:
    """Every call in the order in which it is made, and the tensors that the model gives.

    Raises:
        UnsupportedError: the model is subclassed or not built, or a shape is not known until it runs.
    """
    found = _Walk()
    outputs = found.model(model, None, "")
    return found.calls, outputs


class _Walk:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._tensors = 0

    def model(self, model: Any, given: Sequence[int] | None, prefix: str) -> tuple[int, ...]:
        """Record the calls of one model that is fed the tensors ``given``; returns those that it makes."""
        if not isinstance(model, keras.Model) or not getattr(model, "outputs", None):
            raise UnsupportedError(
                f"{getattr(model, 'name', model)!r} is subclassed or not built, so its calls cannot be seen; "
                "use keras.Sequential with an Input layer, or keras.Model(inputs, outputs)"
            )
        numbers: dict[int, int] = {}
        if given is not None:
            numbers.update({id(tensor): number for tensor, number in zip(model.inputs, given, strict=True)})
        for node in _ordered(model):
            made = _flat(node.outputs)
            if all(id(tensor) in numbers for tensor in made):
                continue  # an input that the outer model feeds
            read = [numbers[id(tensor)] for tensor in node.keras_inputs] if node.parent_nodes else []
            path = prefix + node.layer.name
            if isinstance(node.layer, keras.Model):
                outputs = self.model(node.layer, read, path + "/")
            else:
                outputs = tuple(range(self._tensors, self._tensors + len(made)))
                self._tensors += len(made)
                self.calls.append(
                    Call(
                        path,
                        node.layer,
                        tuple(read),
                        outputs,
                        tuple(_shape(path, tensor) for tensor in (node.keras_inputs if node.parent_nodes else [])),
                        tuple(_shape(path, tensor) for tensor in made),
                    )
                )
            numbers.update({id(tensor): number for tensor, number in zip(made, outputs, strict=True)})
        return tuple(numbers[id(tensor)] for tensor in model.outputs)


def _ordered(model: Any) -> list[Any]:
    """The nodes that lead to the model's outputs: each after those it reads, else as ``model.layers`` has them."""
    ends = {id(tensor) for tensor in model.inputs}
    nodes: dict[int, Any] = {}
    waiting = [node_of(tensor) for tensor in model.outputs]
    while waiting:
        node = waiting.pop()
        if id(node) not in nodes:
            nodes[id(node)] = node
            if not any(id(tensor) in ends for tensor in _flat(node.outputs)):
                waiting.extend(node.parent_nodes)
    rank = {id(layer): number for number, layer in enumerate(model.layers)}
    missing = {key: {id(parent) for parent in node.parent_nodes if id(parent) in nodes} for key, node in nodes.items()}
    readers: dict[int, list[int]] = {key: [] for key in nodes}
    for key, parents in missing.items():
        for parent in parents:
            readers[parent].append(key)
    place = {key: (rank.get(id(node.layer), -1), number) for number, (key, node) in enumerate(nodes.items())}
    ready = [(*place[key], key) for key, parents in missing.items() if not parents]
    heapq.heapify(ready)
    ordered = []
    while ready:
        *_, key = heapq.heappop(ready)
        ordered.append(nodes[key])
        for reader in readers[key]:
            missing[reader].discard(key)
            if not missing[reader]:
                heapq.heappush(ready, (*place[reader], reader))
    return ordered


def _flat(structure: Any) -> list[Any]:
    import tensorflow as tf

    return list(tf.nest.flatten(structure))


def _shape(path: str, tensor: Any) -> tuple[int, ...]:
    sizes = tensor.shape.as_list()[1:]
    if any(size is None for size in sizes):
        raise UnsupportedError(
            f"{path!r} has the open shape {tuple(tensor.shape.as_list())}; build the model with a fixed input shape"
        )
    return tuple(sizes)
