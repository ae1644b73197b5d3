"""Seeds for the delegate's fuzzer with sparse layers of the runtime's own: CONV_2D, FULLY_CONNECTED, DENSIFY.

android_bench/fuzz/graph_code.h gives the format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np

ADD, CONV_2D, FULLY_CONNECTED, DENSIFY = 5, 11, 12, 13
FLOAT32 = 0
CONSTANT, SPARSE = 1, 16
DENSE, COMPRESSED = 0, 1
SAME, VALID = 1, 2
GROUP = 4  # outputs in a block of zeros
KERNELS = 12  # 0 is the delegate's choice, the others are names

Dimension = tuple[int, int, Sequence[int], Sequence[int]]  # format, size, segments, indices


def _integers(values: Sequence[int], code: str) -> bytes:
    return struct.pack(f"<B{len(values)}{code}", len(values), *values)


def _tensor(shape: Sequence[int], data: bytes = b"", flags: int = 0, sparsity: bytes = b"") -> bytes:
    head = struct.pack("<BB", FLOAT32, flags) + _integers(shape, "i") + struct.pack("<fi", 0.0, 0)
    return head + struct.pack("<H", len(data)) + data + sparsity


def _constant(values: np.ndarray) -> bytes:
    return _tensor(values.shape, values.astype(np.float32).tobytes(), CONSTANT)


def _sparsity(order: Sequence[int], blocks: Sequence[int], dimensions: Sequence[Dimension]) -> bytes:
    data = _integers(order, "b") + _integers(blocks, "b") + struct.pack("<B", len(dimensions))
    for form, size, segments, indices in dimensions:
        data += struct.pack("<bi", form, size) + _integers(segments, "h") + _integers(indices, "h")
    return data


def _rows(weights: np.ndarray) -> bytes:
    """A filter [outputs, height, width, channels] compressed along the channels, as TFLite's converter stores it."""
    *outer, _ = weights.shape
    rows = weights.reshape(-1, weights.shape[-1])
    segments = np.concatenate([[0], np.cumsum((rows != 0).sum(1))])
    dense: list[Dimension] = [(DENSE, size, (), ()) for size in outer]
    dimensions = [*dense, (COMPRESSED, 0, segments.tolist(), np.nonzero(rows)[1].tolist())]
    values = rows[rows != 0].astype(np.float32).tobytes()
    return _tensor(weights.shape, values, CONSTANT | SPARSE, _sparsity(range(weights.ndim), (), dimensions))


def _blocks(weights: np.ndarray) -> bytes:
    """A filter [outputs, channels] in blocks of 4 outputs x 1 channel."""
    outputs, channels = weights.shape
    blocks = weights.reshape(outputs // GROUP, GROUP, channels).transpose(0, 2, 1)
    used = (blocks != 0).any(2)
    segments = np.concatenate([[0], np.cumsum(used.sum(1))])
    dimensions: list[Dimension] = [
        (DENSE, outputs // GROUP, (), ()),
        (COMPRESSED, 0, segments.tolist(), np.nonzero(used)[1].tolist()),
        (DENSE, GROUP, (), ()),
    ]
    values = blocks[used].astype(np.float32).tobytes()
    return _tensor(weights.shape, values, CONSTANT | SPARSE, _sparsity((0, 1, 2), (0,), dimensions))


def _node(op: int, inputs: Sequence[int], output: int, options: Sequence[int] = ()) -> bytes:
    head = struct.pack("<BB", op, 1) + _integers(inputs, "b") + _integers([output], "b")
    return head + struct.pack("<H", len(options)) + bytes(options)


def _filter(random: np.random.Generator, shape: Sequence[int], zeros: float, *, blocks: bool) -> np.ndarray:
    weights = random.uniform(-1, 1, shape)
    rows = -(-shape[0] // GROUP) if blocks else shape[0]
    kept = random.random((rows, *shape[1:])) >= zeros
    return np.asarray(weights * np.repeat(kept, GROUP if blocks else 1, 0)[: shape[0]])


def _graphs() -> Iterator[tuple[list[bytes], list[bytes], int, list[int]]]:
    """Tensors, nodes, the output, and a shape to give the first tensor later on."""
    random = np.random.default_rng(0)
    for shape, stride, padding, blocks in (((9, 1, 1, 16), 1, VALID, False), ((6, 3, 3, 5), 2, SAME, True)):
        outputs, *_, channels = shape
        weights, bias = _filter(random, shape, 0.8, blocks=blocks), random.uniform(-1, 1, outputs)
        side = -(-5 // stride)
        ends = _tensor((1, 5, 5, channels)), _tensor((1, side, side, outputs))
        convolution = (padding, stride, stride, 3, 1, 1)
        yield (
            [ends[0], _rows(weights), _tensor(shape), _constant(bias), ends[1]],
            [_node(DENSIFY, [1], 2), _node(CONV_2D, [0, 2, 3], 4, convolution)],
            *(4, [2, 7, 6, channels]),
        )
        yield (
            [ends[0], _constant(weights), _constant(bias), ends[1], ends[1]],
            [_node(CONV_2D, [0, 1, 2], 3, convolution), _node(ADD, [3, 3], 4)],
            *(4, [1, 9, 4, channels]),
        )
    for pixels in (1, 21):
        weights = _filter(random, (12, 20), 0.8, blocks=True)
        ends = _tensor((pixels, 20)), _tensor((pixels, 12))
        yield (
            [ends[0], _blocks(weights), _tensor(weights.shape), ends[1]],
            [_node(DENSIFY, [1], 2), _node(FULLY_CONNECTED, [0, 2, -1], 3, (1, 0, 1))],
            *(3, [3, 20]),
        )


def sparse_seeds() -> Iterator[bytes]:
    """Every graph with every kernel."""
    for tensors, nodes, output, shape in _graphs():
        for kernel in range(KERNELS):
            yield (
                struct.pack("<BBIB", kernel, 1 + 2 * (kernel % 2), 1, len(tensors))
                + b"".join(tensors)
                + struct.pack("<B", len(nodes))
                + b"".join(nodes)
                + _integers([output], "b")
                + struct.pack("<BB", 1, 0)
                + _integers(shape, "i")
            )
