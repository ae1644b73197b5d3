"""The way from a few-bit layer to the quantizer that alone reads it, and what the ops on it do."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tfkit.converters.graph import Graph
from tfkit.converters.lowbit import bits, float_steps
from tfkit.converters.lowbit.float_steps import Function, composed
from tfkit.converters.lowbit.links import Links
from tfkit.converters.weights import Constants


@dataclass(frozen=True)
class Way:
    """Numbers of ops; those between in order.

    Attributes:
        before, after: what the float ops in front of and behind the max-pooling (``pool``) do; without one all is in
            front.
        reshape: an op that groups pixels otherwise, or flattens them into vectors.
        dense: the layers that read the quantized vectors, where pixels are flattened.
    """

    layer: int
    between: tuple[int, ...]
    quantizer: int
    before: Function
    after: Function
    pool: int | None
    reshape: int | None
    dense: tuple[int, ...] = ()


def way_to(graph: Graph, constants: Constants, links: Links, quantizer: int) -> Way | None:
    """The way to this quantizer; None where an op on it has no form for bits, or others read what it reads."""
    between = _between(graph, constants, links, quantizer)
    if between is None:
        return None
    layer, numbers = between
    channels = bits.options(graph.ops[layer])["channels_out"]
    sides: tuple[list[Function], list[Function]] = ([], [])
    pool = reshape = None
    for number in numbers:
        op = graph.ops[number]
        if op.name == "RESHAPE":
            if reshape is not None:
                return None
            reshape = number
            continue
        if op.name == "MAX_POOL_2D":
            if pool is not None or reshape is not None:
                return None
            pool = number
            found = float_steps.of_fused_activation(int(op.options.get("fusedActivationFunction", 0)))
        else:
            found = float_steps.function(graph, constants, op, channels)
        if found is None:
            return None
        sides[pool is not None].append(found)
    dense = () if reshape is None else _flattened(graph, links, reshape, quantizer)
    if dense is None:
        return None
    return Way(layer, numbers, quantizer, composed(sides[0]), composed(sides[1]), pool, reshape, dense)


def _between(graph: Graph, constants: Constants, links: Links, quantizer: int) -> tuple[int, tuple[int, ...]] | None:
    """The layer at the start and the ops between; each tensor has one reader."""
    tensor = graph.ops[quantizer].inputs[0]
    between: list[int] = []
    while links.only_reader(tensor) is not None and tensor in links.writer:
        number = links.writer[tensor]
        op = graph.ops[number]
        if bits.is_packed(op):
            return None if bits.writes_levels(op) else (number, tuple(reversed(between)))
        moves = op.name in ("MAX_POOL_2D", "RESHAPE")
        source = op.inputs[0] if moves else float_steps.data_input(graph, constants, op)
        if source is None:
            return None
        between.append(number)
        tensor = source
    return None


def _flattened(graph: Graph, links: Links, reshape: int, quantizer: int) -> tuple[int, ...] | None:
    """The dense layers that take the window of a flattening over; none where channels stay the last axis."""
    op = graph.ops[reshape]
    given, made = (graph.tensors[index].shape for index in (op.inputs[0], op.outputs[0]))
    if given[-1] == made[-1]:
        return ()
    output = graph.ops[quantizer].outputs[0]
    readers = links.readers[output]
    all_dense = bool(readers) and all(graph.ops[number].name == bits.DENSE for number in readers)
    flat = len(given) == 4 and made == (given[0], math.prod(given[1:]))
    if not flat or not all_dense or output in graph.outputs:
        return None
    return tuple(readers) if all(bits.depth(graph.ops[number]) == made[1] for number in readers) else None
