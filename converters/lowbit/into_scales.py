"""Batch normalization behind a few-bit layer whose output stays float: folded into its scales and bias."""

from __future__ import annotations

import numpy as np

from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op
from tfkit.converters.lowbit.bits import is_packed, options, writes_levels
from tfkit.converters.lowbit.float_steps import Affine, affine, data_input
from tfkit.converters.lowbit.links import Links
from tfkit.converters.op_edit import OpEdit
from tfkit.converters.weights import Constants, real

_SCALES, _BIAS = 2, 3
_RELU = {0: "", 1: "RELU"}  # fused activations that a factor may leave behind


def into_scales(flatbuffer: bytes) -> bytes:
    """The model without the products and sums with constants that alone read the output of a few-bit layer.

    A product of two roundings becomes one: results move by units in the last place.
    """
    graph = fb.parse(flatbuffer).main
    constants, links = Constants(graph), Links(graph)
    edit = OpEdit(flatbuffer)
    changed = False
    for number, op in enumerate(graph.ops):
        if is_packed(op) and not writes_levels(op):
            changed |= _fold(edit, graph, constants, links, number)
    return edit.serialize() if changed else flatbuffer


def _fold(edit: OpEdit, graph: Graph, constants: Constants, links: Links, number: int) -> bool:
    op = graph.ops[number]
    channels = options(op)["channels_out"]
    stored = [constants.tensor(op.inputs[position]) for position in (_SCALES, _BIAS)]
    if stored[0] is None or stored[1] is None:
        return False
    scales, bias = (real(tensor).astype(np.float64) for tensor in stored if tensor is not None)
    taken: list[int] = []
    output, activation = op.outputs[0], ""
    while not activation and (found := _next(graph, constants, links, output, channels)) is not None:
        after, step = found
        scales, bias = scales * step.factor, bias * step.factor + step.offset
        taken.append(after)
        output = graph.ops[after].outputs[0]
        activation = _RELU[_fused(graph.ops[after])]
    folded = [scales.astype(np.float32), np.broadcast_to(bias, channels).astype(np.float32)]
    if not taken or not all(np.isfinite(values).all() for values in folded):
        return False
    name = graph.tensors[op.outputs[0]].name
    constants_of = [edit.constant(f"{name}/{what}", v) for what, v in zip(("scales", "bias"), folded, strict=True)]
    edit.rewire(number, [*op.inputs[:_SCALES], *constants_of])
    if activation:
        edit.builtin(taken.pop(), activation, op.outputs, [output])
    else:
        edit.write_to(number, output)
    for after in taken:
        edit.drop(after)
    return True


def _next(graph: Graph, constants: Constants, links: Links, tensor: int, channels: int) -> tuple[int, Affine] | None:
    """The op that alone reads a tensor, when it is a factor or a summand a channel."""
    number = links.only_reader(tensor)
    if number is None or data_input(graph, constants, graph.ops[number]) is None:
        return None
    step = affine(graph, constants, graph.ops[number], channels)
    return None if step is None or _fused(graph.ops[number]) not in _RELU else (number, step)


def _fused(op: Op) -> int:
    return int(op.options.get("fusedActivationFunction", 0))
