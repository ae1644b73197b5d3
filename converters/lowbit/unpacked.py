"""Weights that a flatbuffer stores in the bits of their levels: read back, written (delegate/unpack_weights.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tfkit._errors import ModelError
from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op, Tensor

UNPACK = "TfkitUnpackWeights"
MOST_BITS = 8
MOST_TERMS = 8
TYPES = {"FLOAT32": np.float32, "INT8": np.int8}


@dataclass(frozen=True)
class Packed:
    """``value = codes[number] @ scales[row]``, row = position // inner % rows; without ``scales`` one integer each.

    Attributes:
        numbers: of each weight's level, in the order of the tensor.
        codes: integers, [levels, terms].
        scales: float32, [rows, terms], or None: the values are the integers.
        inner: weights in a row that share their scales.
    """

    numbers: np.ndarray
    codes: np.ndarray
    scales: np.ndarray | None
    inner: int

    @property
    def bits(self) -> int:
        """Of the number of a level."""
        return max(int(len(self.codes) - 1).bit_length(), 1)

    def values(self) -> np.ndarray:
        """The weights as the delegate makes them: a product a term, added up in their order."""
        if self.scales is None:
            return self.codes[self.numbers, 0].astype(np.int8)
        rows = np.arange(len(self.numbers)) // self.inner % len(self.scales)
        total = self.codes[self.numbers, 0].astype(np.float32) * self.scales[rows, 0]
        for term in range(1, self.codes.shape[1]):
            total = total + self.codes[self.numbers, term].astype(np.float32) * self.scales[rows, term]
        return np.asarray(total, np.float32)

    def words(self) -> np.ndarray:
        """The numbers as one stream of bits, lowest first, in int32."""
        bits = (self.numbers[:, None] >> np.arange(self.bits) & 1).astype(np.uint8).ravel()
        padded = np.concatenate([bits, np.zeros(-len(bits) % 32, np.uint8)])
        return np.packbits(padded, bitorder="little").view("<i4").astype(np.int32)

    def grid(self) -> tuple[int, int] | None:
        """(lowest, step) of levels that are equal steps apart; None: they need a table."""
        steps = np.diff(self.codes[:, 0])
        if self.codes.shape[1] > 1 or not len(steps) or steps.min() != steps.max() or steps[0] < 1:
            return None
        return int(self.codes[0, 0]), int(steps[0])


def read(graph: Graph, op: Op) -> Packed:
    """What a ``TfkitUnpackWeights`` of an untrusted file holds; raises ``ModelError`` where that makes no sense."""
    found = fb.custom_options(op)
    if len(op.inputs) != 3 or len(op.outputs) != 1 or graph.tensors[op.outputs[0]].type not in TYPES:
        raise _damaged("has other inputs or outputs")
    bits, inner = _option(found, "bits", 1, MOST_BITS), _option(found, "inner", 1, 2**31 - 1)
    tensor = graph.tensors[op.outputs[0]]
    count = math.prod(tensor.shape)
    stored = _constant(graph, op.inputs[0], "INT32", "words")
    if count < 1 or len(stored.shape) != 1 or stored.shape[0] != -(-count * bits // 32):
        raise _damaged(f"has {stored.shape} words for {count} weights of {bits} bits")
    stream = np.unpackbits(_bytes(stored), bitorder="little")[: count * bits].reshape(count, bits)
    numbers = stream.astype(np.int64) @ (1 << np.arange(bits))
    if op.inputs[1] < 0:
        lowest, step = _option(found, "lowest", -(2**24), 2**24), _option(found, "step", 1, 2**16)
        codes = (lowest + step * np.arange(2**bits))[:, None]
    else:
        table = _constant(graph, op.inputs[1], "INT32", "levels")
        if len(table.shape) != 2 or not 1 <= table.shape[0] <= 2**bits or not 1 <= table.shape[1] <= MOST_TERMS:
            raise _damaged(f"has a table of levels of the shape {table.shape}")
        codes = _bytes(table).view("<i4").reshape(table.shape).astype(np.int64)
    if numbers.max() >= len(codes):
        raise _damaged(f"has a weight of level {numbers.max()} of {len(codes)}")
    if tensor.type == "INT8":
        if op.inputs[2] >= 0 or codes.shape[1] != 1 or np.abs(codes[numbers, 0] + 0.5).max() > 128:
            raise _damaged("gives integers that are no int8")
        return Packed(numbers, codes, None, inner)
    scales = _constant(graph, op.inputs[2], "FLOAT32", "scales")
    if len(scales.shape) != 2 or scales.shape[1] != codes.shape[1] or count % max(scales.shape[0] * inner, 1):
        raise _damaged(f"has scales of the shape {scales.shape} for {count} weights in rows of {inner}")
    if scales.shape[0] < 1:
        raise _damaged("has no scales")
    return Packed(numbers, codes, _bytes(scales).view("<f4").reshape(scales.shape), inner)


def _damaged(what: str) -> ModelError:
    return ModelError(f"the flatbuffer is damaged: {UNPACK} {what}")


def _option(found: dict[str, object], name: str, low: int, high: int) -> int:
    value = found.get(name)
    if not isinstance(value, int) or not low <= value <= high:
        raise _damaged(f"has {name} = {value!r}")
    return value


def _constant(graph: Graph, index: int, type: str, what: str) -> Tensor:
    tensor = graph.tensors[index] if index >= 0 else None
    if tensor is None or tensor.data is None or tensor.type != type or tensor.sparsity is not None:
        raise _damaged(f"has no constant {what}")
    return tensor


def _bytes(tensor: Tensor) -> np.ndarray:
    """As many bytes as the shape says; ``semantics.check_model`` has seen that they are there."""
    return np.ascontiguousarray(np.asarray(tensor.data)[: 4 * math.prod(tensor.shape)])
