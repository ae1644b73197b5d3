"""Quantized kernels of the runtime's own ops are stored in the bits of their levels, whatever the op.

A pass over the converter's flatbuffer: by then batch normalization is in the weights, which only changes scales. Each
kernel that is some layer's, level by level up to one factor a channel, becomes an op that unpacks it
(delegate/unpack_weights.md); all others stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfkit.converters import flatbuffer as fb
from tfkit.converters.declared import declared_layers
from tfkit.converters.graph import Graph, Tensor
from tfkit.converters.ledger import match
from tfkit.converters.lowbit.unpacked import UNPACK, Packed
from tfkit.converters.lowbit.weight_only import Coded, coded_kernels, fitted
from tfkit.converters.reasons import Reason
from tfkit.converters.weights import KERNEL_INPUT, WeightOp, canonical, weight_ops


def pack_weights(model: Any, flatbuffer: bytes) -> tuple[bytes, Mapping[str, Reason]]:
    """The flatbuffer with the kernels of quantized layers in bits, and path -> reason of those that are not.

    Layers that have ops of their own (LceBconv2d, TfkitKBit...) are left alone.
    """
    layers = declared_layers(model)
    graph = fb.parse(flatbuffer).main
    edit = fb.Edit(flatbuffer)
    refused: dict[str, Reason] = {}
    done: set[int] = set()
    for declared, (ops, _) in zip(layers, match(layers, weight_ops(graph)), strict=True):
        if not declared.is_binary or declared.is_wrapped_int8:
            continue
        plain = [op for op in ops if not op.op.is_custom]
        if not plain:
            continue
        coded = coded_kernels(declared)
        for op in plain:
            found = _packed(graph, op, coded)
            if isinstance(found, Reason):
                refused[declared.name] = found
                continue
            index, packed = found
            if index not in done:
                done.add(index)
                write(edit, index, packed)
    return edit.serialize() if done else flatbuffer, refused


def _packed(graph: Graph, op: WeightOp, coded: list[Coded | Reason]) -> tuple[int, Packed] | Reason:
    """(tensor, what it is packed as) of an op's kernel."""
    index = op.op.inputs[KERNEL_INPUT[op.op.name]]
    tensor = graph.tensors[index]
    if tensor.type != "FLOAT32" or not tensor.is_constant or tensor.sparsity is not None:
        return Reason("not_float", f"{op.op.name} takes {tensor.type} weights that are stored otherwise", "")
    for candidate in coded:
        if isinstance(candidate, Coded) and (found := fitted(candidate, op.kernel)) is not None:
            return index, in_order(op, tensor, found)
    reasons = [c for c in coded if isinstance(c, Reason)]
    return reasons[0] if reasons else Reason("not_its_kernel", "the converter has changed the kernel's levels", "")


def in_order(op: WeightOp, tensor: Tensor, coded: Coded) -> Packed:
    """A canonical kernel in the order of its tensor, and where its channels lie there."""
    size = coded.numbers.size
    positions = canonical(op.op, np.arange(size).reshape(tensor.shape))
    numbers = np.empty(size, np.int64)
    numbers[positions.ravel()] = coded.numbers.ravel()
    if (coded.scales == coded.scales[0]).all():
        return Packed(numbers, coded.codes, coded.scales[:1], 1)
    # Channels lie along one axis, so neighbours of one channel are as many as the axes behind it hold.
    channel = np.empty(size, np.int64)
    channel[positions.ravel()] = np.repeat(np.arange(len(positions)), positions.shape[1])
    changes = np.flatnonzero(np.diff(channel))
    return Packed(numbers, coded.codes, coded.scales, int(changes[0]) + 1 if len(changes) else size)


def write(edit: fb.Edit, index: int, packed: Packed) -> None:
    """Let constant ``index`` be unpacked."""
    grid = packed.grid()
    lowest, step = grid or (0, 1)
    table = None if grid is not None else packed.codes.astype(np.int32)
    edit.compute(
        index,
        UNPACK,
        [packed.words(), table, packed.scales],
        {"bits": packed.bits, "inner": packed.inner, "lowest": lowest, "step": step},
    )
