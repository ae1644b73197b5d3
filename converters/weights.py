"""The weights of a flatbuffer's ops in one canonical form, so that they can be recognised.

Whatever the op, its kernel becomes a matrix [output channel, everything that one output channel sums over]; the order
of the columns is that of the Keras kernel too: height, width, input channel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfkit._errors import ModelError
from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op, Tensor
from tfkit.converters.lowbit import bits as packed
from tfkit.converters.lowbit import unpacked
from tfkit.converters.lowbit.bits import is_packed
from tfkit.converters.sparse import densify, stored_bytes

DTYPES = {
    "FLOAT32": np.float32, "FLOAT16": np.float16, "INT8": np.int8, "UINT8": np.uint8, "INT16": np.int16,
    "INT32": np.int32, "INT64": np.int64, "FLOAT64": np.float64, "BOOL": np.bool_,
}  # fmt: skip

# Op -> position of its kernel among the inputs.
KERNEL_INPUT = {
    "CONV_2D": 1,
    "DEPTHWISE_CONV_2D": 1,
    "FULLY_CONNECTED": 1,
    "TRANSPOSE_CONV": 1,
    "CONV_3D": 1,
    "CONV_3D_TRANSPOSE": 1,
    "BATCH_MATMUL": 1,
    "LceBconv2d": 1,
    "TfkitKBitConv2D": 1,
    "TfkitKBitDense": 1,
}
WORD = 32


@dataclass(frozen=True)
class WeightOp:
    """An op with a constant kernel: where it is, what it computes in, what it weighs."""

    index: int
    op: Op
    kernel: np.ndarray  # [output channel, inputs of one output channel]
    precision: str
    bytes: int
    dense_bytes: int  # the same with every sparse constant stored densely
    is_sparse: bool
    names: tuple[str, ...]
    bits: int = 0  # of a weight that is unpacked for an op of the runtime's; 0: it is stored as the op takes it


class Constants:
    """Constant tensors of a graph, also behind the ops that make one out of another: DEQUANTIZE, DENSIFY, and the
    unpacking of few bits."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._origin = {
            op.outputs[0]: op.inputs[0]
            for op in graph.ops
            if op.name in ("DEQUANTIZE", "DENSIFY") and len(op.inputs) == 1 and len(op.outputs) == 1
        }
        self._unpacking = {op.outputs[0]: op for op in graph.ops if op.name == unpacked.UNPACK and op.outputs}
        self._unpacked: dict[int, tuple[Tensor, int]] = {}

    def tensor(self, index: int) -> Tensor | None:
        """The constant that feeds tensor ``index``, unpacked; None when it is computed from inputs."""
        for _ in range(4):  # DENSIFY after DEQUANTIZE is the longest chain that converters write
            if index < 0:
                return None
            if index in self._unpacking:
                return self._unpack(index)[0]
            tensor = self._graph.tensors[index]
            if tensor.is_constant:
                return tensor
            index = self._origin.get(index, -1)
        return None

    def bits(self, index: int) -> int:
        """Bits that a weight of tensor ``index`` takes in the file where it is unpacked from them; else 0."""
        return self._unpack(index)[1] if index in self._unpacking else 0

    def stored(self, index: int) -> list[Tensor]:
        """The tensors of the file that ``tensor`` is made of."""
        if index in self._unpacking:
            parts = [self._graph.tensors[i] for i in self._unpacking[index].inputs if i >= 0]
            return [t for t in parts if t.data is not None]
        found = self.tensor(index)
        return [] if found is None or found.data is None else [found]

    def _unpack(self, index: int) -> tuple[Tensor, int]:
        if index not in self._unpacked:
            found = unpacked.read(self._graph, self._unpacking[index])
            data = np.ascontiguousarray(found.values()).view(np.uint8)
            self._unpacked[index] = replace(self._graph.tensors[index], data=data), found.bits
        return self._unpacked[index]


def array(tensor: Tensor) -> np.ndarray:
    """The integers or floats of a constant, dense, in its shape; raises ``ModelError`` for types without an array."""
    if tensor.data is None or tensor.type not in DTYPES:
        raise ModelError(f"tensor {tensor.name!r} ({tensor.type}) holds no array")
    dtype = np.dtype(DTYPES[tensor.type])
    values = tensor.data[: len(tensor.data) // dtype.itemsize * dtype.itemsize].view(dtype)
    if tensor.sparsity is not None:
        return densify(values, tensor.shape, tensor.sparsity)
    return values[: math.prod(tensor.shape)].reshape(tensor.shape)


def real(tensor: Tensor) -> np.ndarray:
    """The real values that a constant stands for, float32, dense."""
    values = array(tensor)
    found = tensor.quantization
    if found is None or tensor.type not in ("INT8", "UINT8", "INT16", "INT32"):
        return values.astype(np.float32)
    shape = [1] * values.ndim
    if len(found.scale) > 1:
        shape[found.axis] = len(found.scale)
    zero_point = found.zero_point.reshape(shape) if len(found.scale) > 1 else found.zero_point
    scale = found.scale.reshape(shape) if len(found.scale) > 1 else found.scale
    return (values.astype(np.float32) - zero_point.astype(np.float32)) * scale


def weight_ops(graph: Graph) -> list[WeightOp]:
    """Every op of the graph that has a constant kernel, in order of execution."""
    constants = Constants(graph)
    found = []
    for index, op in enumerate(graph.ops):
        position = KERNEL_INPUT.get(op.name)
        if position is None or position >= len(op.inputs):
            continue
        kernel = constants.tensor(op.inputs[position])
        if kernel is None or kernel.type not in DTYPES:
            continue
        stored = [tensor for i in op.inputs for tensor in constants.stored(i)]
        bits = constants.bits(op.inputs[position])
        found.append(
            WeightOp(
                index=index,
                op=op,
                kernel=_matrix(graph, op, kernel),
                precision=precision(graph, op, kernel, bits),
                bytes=sum(_bytes(t) for t in stored),
                dense_bytes=sum(_dense_bytes(t) for t in stored),
                is_sparse=kernel.sparsity is not None,
                names=(graph.tensors[op.outputs[0]].name, kernel.name),
                bits=bits,
            )
        )
    return found


def precision(graph: Graph, op: Op, kernel: Tensor, bits: int = 0) -> str:
    """What the op multiplies in; ``bits``: "W2 in float", weights of few bits that are unpacked for it."""
    if bits:
        return f"W{bits} in {'int8' if kernel.type == 'INT8' else 'float'}"
    if op.name == "LceBconv2d":
        return "binary"
    if is_packed(op):
        return packed.precision(op)
    data = graph.tensors[op.inputs[2 if op.name == "TRANSPOSE_CONV" and len(op.inputs) > 2 else 0]]
    if data.type in ("INT8", "INT16"):
        return "int8" if kernel.type == "INT8" else f"{data.type.lower()} x {kernel.type.lower()}"
    if kernel.type == "INT8":
        return "int8 weights"
    return "float16 weights" if kernel.type == "FLOAT16" else "float32"


def _bytes(tensor: Tensor) -> int:
    if tensor.sparsity is not None and tensor.data is not None:
        return stored_bytes(tensor.data, tensor.sparsity)
    return len(tensor.data) if tensor.data is not None else 0


def _dense_bytes(tensor: Tensor) -> int:
    return math.prod(tensor.shape) * np.dtype(DTYPES[tensor.type]).itemsize if tensor.type in DTYPES else 0


def _matrix(graph: Graph, op: Op, kernel: Tensor) -> np.ndarray:
    if op.name == "LceBconv2d":
        return _unpack(op, kernel)
    if is_packed(op):
        return packed.weights(graph, op, kernel)
    return canonical(op, real(kernel))


def canonical(op: Op, values: np.ndarray) -> np.ndarray:
    """The kernel of an op of the runtime's, in its own shape, as the matrix [output channel, terms of a sum]."""
    if op.name == "DEPTHWISE_CONV_2D":  # [1, height, width, output channel]
        return np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1)
    if op.name in ("CONV_3D", "CONV_3D_TRANSPOSE"):  # [depth, height, width, input channel, output channel]
        return np.moveaxis(values, -1 if op.name == "CONV_3D" else -2, 0).reshape(
            values.shape[-1 if op.name == "CONV_3D" else -2], -1
        )
    if op.name == "BATCH_MATMUL" and values.ndim >= 2 and not op.options.get("adjY"):
        values = np.moveaxis(values, -1, 0)
    return values.reshape(values.shape[0] if values.ndim else 1, -1)


def channels_per_group(op: Op, packed_words: int) -> int:
    """Input channels that one filter of an LceBconv2d sees; groups are whole words, so only the ungrouped are cut."""
    channels = int(fb.custom_options(op).get("channels_in", 0))
    return channels if (channels + WORD - 1) // WORD == packed_words else packed_words * WORD


def _unpack(op: Op, kernel: Tensor) -> np.ndarray:
    """Bit-packed filters [OC, H, W, words] as -1 and +1: bit 1 is -1, the lowest bit is the first channel."""
    words = np.ascontiguousarray(array(kernel))
    return unpack_bits(words, channels_per_group(op, words.shape[-1])).reshape(words.shape[0], -1)


def unpack_bits(words: np.ndarray, channels: int) -> np.ndarray:
    """int32 words [..., word] to float -1 and +1 [..., channel]."""
    as_bytes = np.ascontiguousarray(words).astype("<i4", copy=False).view(np.uint8)
    bits = np.unpackbits(as_bytes, axis=-1, bitorder="little")[..., :channels]
    return 1.0 - 2.0 * bits.astype(np.float32)


def named_like(names: Sequence[str], layer: str) -> int:
    """2 when a tensor name has the layer as a path component, 1 when a truncated one may, 0 otherwise."""
    parts = [part for name in names for piece in name.split(";") for part in piece.split("/")]
    if layer in parts:
        return 2
    return int(any(len(part) > 3 and layer.startswith(part) for part in parts[-1:]))
