"""Layers that read one tensor through equal quantizers read one quantization of it."""

from __future__ import annotations

from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op
from tfkit.converters.lowbit.bits import QUANTIZE
from tfkit.converters.op_edit import OpEdit
from tfkit.converters.weights import Constants


def with_shared_quantizers(flatbuffer: bytes) -> bytes:
    """The model with each quantization once."""
    graph = fb.parse(flatbuffer).main
    constants = Constants(graph)
    first: dict[object, int] = {}  # what is quantized how -> the tensor that holds it
    same: dict[int, int] = {}
    ends = set(graph.outputs)
    edit = OpEdit(flatbuffer)
    for number, op in enumerate(graph.ops):
        if op.name == QUANTIZE:
            kept = first.setdefault(_identity(graph, constants, op), op.outputs[0])
            if kept != op.outputs[0] and op.outputs[0] not in ends:
                same[op.outputs[0]] = kept
                edit.drop(number)
    if not same:
        return flatbuffer
    for number, op in enumerate(graph.ops):
        if any(index in same for index in op.inputs):
            edit.rewire(number, [same.get(index, index) for index in op.inputs])
    return edit.serialize()


def _identity(graph: Graph, constants: Constants, op: Op) -> object:
    found = [constants.tensor(index) for index in op.inputs[1:]]
    stored = tuple(b"" if tensor is None or tensor.data is None else tensor.data.tobytes() for tensor in found)
    return op.inputs[0], stored, op.custom_options
