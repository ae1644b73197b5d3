"""Who feeds whom in a Keras model."""

from __future__ import annotations

from typing import Any

Edges = dict[str, list[Any]]


def neighbours(model: Any) -> tuple[Edges, Edges]:
    """(producers, consumers) of every layer by name; a layer used n times appears n times in both.

    Only nodes that lead to the model's outputs count: layers remember every model they were ever part of.
    """
    producers: Edges = {layer.name: [] for layer in model.layers}
    consumers: Edges = {layer.name: [] for layer in model.layers}
    waiting = [tensor.node for tensor in model.outputs]
    seen = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for parent in node.parent_nodes:
            producers.setdefault(node.layer.name, []).append(parent.layer)
            consumers.setdefault(parent.layer.name, []).append(node.layer)
            waiting.append(parent)
    return producers, consumers
