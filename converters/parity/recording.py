"""Run a flatbuffer on samples, with any of its tensors handed out.

Tensors become outputs of the graph, because only outputs leave XNNPACK's partitions and tfkit's delegate: what is
recorded is what the shipped kernels compute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Tensor
from tfkit.converters.weights import Constants, unpack_bits
from tfkit.runtime import Interpreter
from tfkit.runtime.backends import Backend
from tfkit.runtime.tensors import TensorInfo, quantize

RECORDED_TYPES = ("FLOAT32", "INT8", "INT32")


@dataclass(frozen=True)
class Recording:
    """Outputs [sample, ...] in the model's order, and recorded tensors [sample, ...] by index."""

    outputs: tuple[np.ndarray, ...]
    tensors: Mapping[int, np.ndarray]


def recordable(graph: Graph) -> list[int]:
    """Activations whose first axis is the batch, in order of execution; inputs and outputs of the graph included."""
    constants = Constants(graph)
    batches = {graph.tensors[i].shape[0] for i in graph.inputs if graph.tensors[i].shape}
    found = list(graph.inputs)
    for op in graph.ops:
        for index in op.outputs:
            tensor = graph.tensors[index]
            if tensor.type not in RECORDED_TYPES or not tensor.shape or constants.tensor(index) is not None:
                continue
            if tensor.shape[0] in batches:
                found.append(index)
    return found


def record(
    flatbuffer: bytes,
    arrays: Sequence[np.ndarray],
    *,
    backend: Backend,
    tensors: Sequence[int] = (),
    kernels: Literal["optimized", "reference"] = "optimized",
) -> Recording:
    """Run all samples; float arrays are quantized where the flatbuffer takes integers."""
    graph = fb.parse(flatbuffer).main
    own = len(graph.outputs)
    hidden = [i for i in tensors if i not in graph.outputs and i not in graph.inputs]
    data = fb.with_outputs(flatbuffer, hidden) if hidden else flatbuffer
    interpreter = Interpreter(data, backend=backend, kernels=kernels)
    parts = []
    for chunk, count in _chunks(arrays, interpreter.inputs):
        fed = [typed(a, info) for a, info in zip(chunk, interpreter.inputs, strict=True)]
        found = [*interpreter.run(fed), *fed]
        parts.append([value[:count] if value.ndim and len(value) >= count else value for value in found])
    columns = [np.concatenate(column) if column[0].ndim else np.stack(column) for column in zip(*parts, strict=True)]
    named = dict(zip([*graph.outputs, *hidden, *graph.inputs], columns, strict=True))
    return Recording(tuple(columns[:own]), {i: named[i] for i in tensors})


def _chunks(arrays: Sequence[np.ndarray], inputs: Sequence[TensorInfo]) -> list[tuple[list[np.ndarray], int]]:
    """Samples in batches of the model's size; the last one is filled up by repeating, and says how many count."""
    size = 4 if inputs[0].free_batch else inputs[0].shape[0]
    chunks = []
    for start in range(0, len(arrays[0]), size):
        chunk = [a[start : start + size] for a in arrays]
        count = len(chunk[0])
        if count < size and not inputs[0].free_batch:
            chunk = [np.concatenate([a, np.repeat(a[-1:], size - count, axis=0)]) for a in chunk]
        chunks.append((chunk, count))
    return chunks


def typed(array: np.ndarray, info: TensorInfo) -> np.ndarray:
    """An array in the type that an input takes: quantized for integers, else cast."""
    if info.dtype.kind in "iu" and array.dtype.kind == "f":
        return quantize(array, info)
    return array.astype(info.dtype, copy=False)


def dequantized(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Recorded integers as the reals they stand for."""
    found = tensor.quantization
    if values.dtype.kind == "f" or found is None:
        return values.astype(np.float32)
    return (values.astype(np.float32) - np.float32(found.zero_point[0])) * found.scale[0]


def arranged(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """A recorded tensor [sample, ..., channel] as one of ``shape``, up to the last axis; None when it is another one.

    A layer that was rewritten as a convolution works on a map [sample, 1, place, channel]; Keras' axes between sample
    and channel are then the places.
    """
    if values.shape[:-1] == shape[:-1]:
        return values
    is_map = values.ndim == 4 and values.shape[1] == 1 and len(shape) != 4
    if not is_map or (values.shape[0], values.shape[2]) != (shape[0], math.prod(shape[1:-1])):
        return None
    return values.reshape(*shape[:-1], values.shape[-1])


def signs(values: np.ndarray, channels: int) -> np.ndarray | None:
    """Recorded bits as -1 and +1; a float tensor passes when that is all it holds; None otherwise."""
    if values.dtype == np.int32:
        return unpack_bits(values, channels) if values.shape[-1] == -(-channels // 32) else None
    if values.dtype == np.float32 and values.shape[-1] == channels and bool((np.abs(values) == 1).all()):
        return values
    return None
