"""What a structurally sound flatbuffer must still promise before a runtime may see it.

Runtimes follow indices, sizes and divisors without looking: each check here stands for a crash.
"""

from __future__ import annotations

import math

import numpy as np

from tfkit._errors import ModelError
from tfkit.converters.graph import Graph, Model, Sparsity, Tensor

MAX_ELEMENTS = 2**31 - 1  # TFLite's kernels count elements in an int
MAX_RANK = 8
DIVISORS = (
    "strideH",
    "strideW",
    "dilationHFactor",
    "dilationWFactor",
    "filterWidth",
    "filterHeight",
    "depthMultiplier",
)

# Bits per element; types not listed have no fixed size or are not checked.
BITS = {
    "FLOAT32": 32, "FLOAT16": 16, "BFLOAT16": 16, "FLOAT64": 64, "INT8": 8, "UINT8": 8, "INT16": 16, "UINT16": 16,
    "INT32": 32, "UINT32": 32, "INT64": 64, "UINT64": 64, "BOOL": 8, "INT4": 4, "UINT4": 4, "INT2": 2,
    "COMPLEX64": 64, "COMPLEX128": 128,
}  # fmt: skip


def check_model(model: Model) -> None:
    """Raise ``ModelError`` for the first inconsistency."""
    for graph in model.graphs:
        _check_graph(graph)
    for signature in model.signatures:
        if not 0 <= signature.graph < len(model.graphs):
            raise _damaged(f"signature {signature.key!r} names graph {signature.graph}")
        count = len(model.graphs[signature.graph].tensors)
        for name, index in (*signature.inputs.items(), *signature.outputs.items()):
            if not 0 <= index < count:
                raise _damaged(f"signature {signature.key!r} maps {name!r} to tensor {index} of {count}")


def _damaged(what: str) -> ModelError:
    return ModelError(f"the flatbuffer is damaged: {what}")


def _check_graph(graph: Graph) -> None:
    count = len(graph.tensors)
    for where, indices, lowest in (("input", graph.inputs, 0), ("output", graph.outputs, 0)):
        for index in indices:
            if not lowest <= index < count:
                raise _damaged(f"graph {where} {index} of {count} tensors")
    for tensor in graph.tensors:
        _check_tensor(tensor)
    written = {*graph.inputs, *(i for i, t in enumerate(graph.tensors) if t.is_constant or t.is_variable)}
    for number, op in enumerate(graph.ops):
        for index in op.inputs:
            if not -1 <= index < count:
                raise _damaged(f"op {number} ({op.name}) reads tensor {index} of {count}")
            # Tensors without elements (an empty constant) need no data.
            if index >= 0 and index not in written and math.prod(graph.tensors[index].shape) != 0:
                raise _damaged(f"op {number} ({op.name}) reads tensor {index} before anything wrote it")
        for index in op.outputs:
            if not 0 <= index < count:
                raise _damaged(f"op {number} ({op.name}) writes tensor {index} of {count}")
            if graph.tensors[index].is_constant:
                raise _damaged(f"op {number} ({op.name}) writes the constant tensor {index}")
            written.add(index)
        for option in DIVISORS:
            if op.options.get(option, 1) <= 0:
                raise _damaged(f"op {number} ({op.name}) has {option} = {op.options[option]}")
    for index in graph.outputs:
        if index not in written:
            raise _damaged(f"nothing writes output tensor {index}")


def _check_tensor(tensor: Tensor) -> None:
    if len(tensor.shape) > MAX_RANK or any(n < 0 for n in tensor.shape) or math.prod(tensor.shape) > MAX_ELEMENTS:
        raise _damaged(f"tensor {tensor.name!r} has the shape {tensor.shape}")
    found = tensor.quantization
    if found is not None:
        per_channel = len(found.scale) > 1
        if len(found.scale) != len(found.zero_point) or (
            per_channel and not (0 <= found.axis < len(tensor.shape) and tensor.shape[found.axis] == len(found.scale))
        ):
            raise _damaged(
                f"tensor {tensor.name!r} of shape {tensor.shape} has {len(found.scale)} scales and "
                f"{len(found.zero_point)} zero points along axis {found.axis}"
            )
        if not np.isfinite(found.scale).all():
            raise _damaged(f"tensor {tensor.name!r} has a scale that is no number")
    if tensor.data is None or tensor.type not in BITS:
        return
    stored = math.prod(tensor.shape) if tensor.sparsity is None else check_sparsity(tensor.sparsity, tensor)
    needed = (stored * BITS[tensor.type] + 7) // 8
    if len(tensor.data) < needed:
        raise _damaged(f"constant {tensor.name!r} has {len(tensor.data)} bytes, its shape needs {needed}")


def check_sparsity(sparsity: Sparsity, tensor: Tensor) -> int:
    """Check segments and indices of a sparse constant; returns the number of stored values."""

    def fail(what: str) -> ModelError:
        return _damaged(f"the sparse tensor {tensor.name!r} has {what}")

    rank = len(tensor.shape)
    dims = sparsity.dims
    if len(dims) != rank + len(sparsity.block_map) or sorted(sparsity.traversal_order) != list(range(len(dims))):
        raise fail(f"a traversal of {sparsity.traversal_order} over {len(dims)} dimensions")
    if any(not 0 <= b < rank for b in sparsity.block_map):
        raise fail(f"a block map of {sparsity.block_map}")
    sizes = traversed_sizes(sparsity, tensor.shape)
    stored = 1
    for dim, size in zip(dims, sizes, strict=True):
        if dim.segments is None or dim.indices is None:
            if dim.size != size:
                raise fail(f"a dense dimension of {dim.size} where the shape says {size}")
            stored *= dim.size
        else:
            if (
                len(dim.segments) != stored + 1
                or (np.diff(dim.segments) < 0).any()
                or dim.segments[0] != 0
                or dim.segments[-1] != len(dim.indices)
                or (dim.indices < 0).any()
                or (dim.indices >= size).any()
            ):
                raise fail("segments and indices that do not fit each other")
            stored = len(dim.indices)
        if stored > MAX_ELEMENTS:
            raise fail("too many values")
    return stored


def traversed_sizes(sparsity: Sparsity, shape: tuple[int, ...]) -> list[int]:
    """Full extent of each traversed dimension: outer ones divided by their blocks, then the blocks."""
    rank = len(shape)
    blocks = {}
    for position, order in enumerate(sparsity.traversal_order):
        if order >= rank:
            blocks[sparsity.block_map[order - rank]] = sparsity.dims[position].size
    sizes = []
    for position, order in enumerate(sparsity.traversal_order):
        if order >= rank:
            sizes.append(sparsity.dims[position].size)
        else:
            block = blocks.get(order, 1)
            if block <= 0 or shape[order] % block:
                raise ModelError(f"the flatbuffer is damaged: sparse blocks of {block} in an axis of {shape[order]}")
            sizes.append(shape[order] // block)
    return sizes
