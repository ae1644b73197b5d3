"""Seeds for the delegate's fuzzer: chains of operators out of flatbuffers, cut down to a few kilobytes each.

    python -m helpers.fuzz_seeds FOLDER MODEL.tflite ...

writes one file for each different chain (android_bench/fuzz/graph_code.h gives the format), and some from
``lce_graph`` for what those models do not have. The corpus in android_bench/fuzz/corpus was made from these by the
fuzzer itself: what it kept (``-merge=1``) after running on QuickNet's and BinaryResNetE-18's chains.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from helpers.fuzz_sparse_seeds import sparse_seeds
from helpers.lce_graph import ABSENT, Convolution, LceGraph, packed_words, unpack

# By number; SomeoneElses stands for all that the delegate leaves alone.
OPS = (
    "LceQuantize", "LceBconv2d", "LceBMaxPool2d", "LceDequantize", "SomeoneElses", "ADD",
    "TfkitKBitConv2D", "TfkitKBitDense", "TfkitKBitQuantize", "TfkitUnpackWeights",
    "TfkitKBitMaxPool2D", "CONV_2D", "FULLY_CONNECTED", "DENSIFY",
)  # fmt: skip
TYPES = {
    schema.TensorType.FLOAT32: 0, schema.TensorType.INT32: 1, schema.TensorType.INT8: 2, schema.TensorType.INT16: 5,
}  # fmt: skip
WIDTHS = {schema.TensorType.INT8: np.int8, schema.TensorType.INT16: np.int16}
SIDE = 5  # pixels of an image
OUTPUTS = 9  # channels of a convolution
LONGEST = 6  # operators in a chain


def _integers(values: Sequence[int], code: str) -> bytes:
    return struct.pack(f"<B{len(values)}{code}", len(values), *values)


def _bytes(data: bytes) -> bytes:
    return struct.pack("<H", len(data)) + data


def _tensor(model: Any, tensor: Any, shape: Sequence[int]) -> bytes:
    data = model.buffers[tensor.buffer].data
    constant = data is not None and len(data) > 0
    quantized = tensor.quantization is not None and tensor.quantization.scale is not None
    values = b""
    if constant:
        whole = np.frombuffer(bytes(data), WIDTHS.get(tensor.type, np.int32))
        values = whole.reshape(tensor.shape)[tuple(slice(size) for size in shape)].tobytes()
    head = struct.pack("<BB", TYPES[tensor.type], constant + 2 * quantized) + _integers(shape, "i")
    scale, zero_point = (tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]) if quantized else (0.0, 0)
    return head + struct.pack("<fi", scale, zero_point) + _bytes(values)


def _op(model: Any, operator: Any) -> str:
    code = model.operatorCodes[operator.opcodeIndex]
    if code.builtinCode == schema.BuiltinOperator.ADD:
        return "ADD"
    name = "" if code.customCode is None else code.customCode.decode()
    return name if name in OPS else "SomeoneElses"


def _is_ours(model: Any, operator: Any) -> bool:
    return _op(model, operator) != "SomeoneElses"


def _chains(model: Any) -> Iterator[list[Any]]:
    """Operators that read each other's outputs, from every possible first one on."""
    graph = model.subgraphs[0]
    reader = {int(op.inputs[0]): op for op in graph.operators if _is_ours(model, op)}
    for operator in reader.values():
        chain = [operator]
        while len(chain) < LONGEST and int(chain[-1].outputs[0]) in reader:
            chain.append(reader[int(chain[-1].outputs[0])])
        yield chain


def _encode(model: Any, chain: Sequence[Any], kernel: int, threads: int) -> bytes:
    graph = model.subgraphs[0]
    numbers: dict[int, int] = {}  # tensor of the model to tensor of the seed
    for operator in chain:
        for index in (*operator.inputs, *operator.outputs):
            if index >= 0:
                numbers.setdefault(int(index), len(numbers))
    convolutions = [op for op in chain if _op(model, op) == "LceBconv2d"]
    convolved = {int(index) for op in convolutions for index in op.inputs[1:]}
    images = {int(op.outputs[0]) for op in convolutions}
    tensors = b""
    for index in numbers:
        tensor = graph.tensors[index]
        shape = [int(size) for size in tensor.shape]
        if index in convolved:
            shape[0] = min(shape[0], OUTPUTS)
        elif len(shape) == 4:
            shape[1:3] = [min(size, SIDE) for size in shape[1:3]]
            if index in images:
                words = tensor.type == schema.TensorType.INT32
                shape[3] = min(shape[3], packed_words(OUTPUTS) if words else OUTPUTS)
        tensors += _tensor(model, tensor, shape)
    nodes = b""
    for operator in chain:
        options = b"" if operator.customOptions is None else bytes(operator.customOptions)
        inputs = [numbers.get(int(index), -1) for index in operator.inputs]
        outputs = [numbers[int(index)] for index in operator.outputs]
        nodes += struct.pack("<BB", OPS.index(_op(model, operator)), 1)
        nodes += _integers(inputs, "b") + _integers(outputs, "b") + _bytes(options)
    first, last = int(chain[0].inputs[0]), int(chain[-1].outputs[0])
    shape = [2, 4, 3, int(graph.tensors[first].shape[-1])]
    return (
        struct.pack("<BBI", kernel, threads, 1)
        + struct.pack("<B", len(numbers))
        + tensors
        + struct.pack("<B", len(chain))
        + nodes
        + _integers([numbers[last]], "b")
        + struct.pack("<BB", 1, numbers[first])
        + _integers(shape, "i")
    )


def _few_bit_layer(bases: int, window: int) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Weights, scales and options of two-bit values."""
    count = 2 * OUTPUTS * OUTPUTS * window * window
    bits = np.random.default_rng(0).integers(0, 2, count, np.uint8)
    packed = np.packbits(np.append(bits, np.zeros(-count % 32, np.uint8)), bitorder="little").view(np.int32)
    options = {
        "activation_lowest": 0, "activation_planes": 2, "activation_step": 1, "bases": bases, "channels_in": OUTPUTS,
        "channels_out": OUTPUTS, "dilation_height_factor": 1, "dilation_width_factor": 1, "kernel_height": window,
        "kernel_width": window, "pad_bits": -1, "padding": 0, "stride_height": 1, "stride_width": 1,
        "weight_lowest": -1, "weight_planes": 2, "weight_step": 2,
    }  # fmt: skip
    return packed, np.full((4 if bases else 1, OUTPUTS), 0.5, np.float32), options


def _quantized(graph: LceGraph, side: int) -> tuple[int, int, int]:
    """An image, its planes, and the bits of its levels."""
    source = graph.tensor("float32", (1, side, side, OUTPUTS))
    planes = graph.tensor("int32", (1, side, side, 2))
    steps, codes = map(graph.constant, (np.array([0.25, 0.5, 0.75], np.float32), np.arange(4, dtype=np.int32)))
    graph.custom("TfkitKBitQuantize", [source, steps, codes], [planes], {"activation_planes": 2})
    return source, planes, codes


def _few_bits(bases: int, side: int) -> bytes:
    """A quantization with the convolution (or, of one pixel's window, the dense layer) of two-bit values behind it."""
    graph = LceGraph()
    source, planes, _ = _quantized(graph, side)
    packed, scales, options = _few_bit_layer(bases, 3 if side > 1 else 1)
    values = [packed, scales, np.zeros(OUTPUTS, np.float32)]
    target = graph.tensor("float32", (1, side, side, OUTPUTS))
    op = "TfkitKBitConv2D" if side > 1 else "TfkitKBitDense"
    graph.custom(op, [planes, *map(graph.constant, values)], [target], options)
    return graph.serialize([source], [target])


def _weights(bits: int, terms: int) -> bytes:
    """Weights of few bits unpacked for an op of the runtime's; without ``terms`` integers, else that many a value."""
    graph, shape = LceGraph(), (OUTPUTS, 3, 3, 2)
    count = int(np.prod(shape)) * bits
    ones = np.random.default_rng(bits).integers(0, 2, count, np.uint8)
    words = graph.constant(np.packbits(np.append(ones, np.zeros(-count % 32, np.uint8)), bitorder="little").view("<i4"))
    table = graph.constant(np.arange(2**bits * terms, dtype=np.int32).reshape(2**bits, terms)) if terms > 1 else -1
    scales = graph.constant(np.full((OUTPUTS, terms), 0.5, np.float32)) if terms else -1
    target = graph.tensor("float32", shape) if terms else graph.tensor("int8", shape, scale=0.5)
    options = {"bits": bits, "inner": 18, "lowest": -1, "step": 2}
    graph.custom("TfkitUnpackWeights", [words, table, scales], [target], options)
    return graph.serialize([], [target])


def _levels(thresholds: np.ndarray) -> bytes:
    """Layers that hand bits on: a convolution that writes levels, their pooling, a dense layer that flattens them."""
    graph, bases = LceGraph(), int(thresholds.dtype == np.float32)
    source, planes, codes = _quantized(graph, SIDE)
    packed, scales, options = _few_bit_layer(bases, 3)
    levels = graph.tensor("int32", (1, SIDE, SIDE, 2))
    falling = graph.constant(np.array([0b10110], np.int32))
    scales_or_none = graph.constant(scales) if bases else ABSENT
    inputs = [planes, graph.constant(packed), scales_or_none, ABSENT, graph.constant(thresholds), codes, falling]
    graph.custom("TfkitKBitConv2D", inputs, [levels], {**options, "output_planes": 2})
    pooled = graph.tensor("int32", (1, 2, 2, 2))
    window = {"filter_height": 2, "filter_width": 2, "padding": 1, "stride_height": 2, "stride_width": 2}
    pool = {"activation_planes": 2, "channels": OUTPUTS, **window}
    graph.custom("TfkitKBitMaxPool2D", [levels, codes, falling], [pooled], pool)
    packed, scales, options = _few_bit_layer(0, 2)
    target = graph.tensor("float32", (1, OUTPUTS))
    values = [packed, scales, np.zeros(OUTPUTS, np.float32)]
    graph.custom("TfkitKBitDense", [pooled, *map(graph.constant, values)], [target], options)
    return graph.serialize([source], [target])


def _small_models() -> Iterator[bytes]:
    yield from (_weights(bits, terms) for bits, terms in ((1, 1), (2, 2), (3, 0), (5, 1)))
    steps = np.repeat(np.array([[-5], [0], [7]]), OUTPUTS, 1)
    yield from (_levels(steps.astype(dtype)) for dtype in (np.int32, np.int16, np.float32))
    yield from (_few_bits(bases, side) for bases in (0, 1) for side in (1, SIDE))
    for pad_values in (0, 1):
        for output in ("float32", "int8", "bitpacked"):
            for groups, padding in ((1, "SAME"), (2, "VALID")):
                yield Convolution(
                    channels_in=64, channels_out=8, groups=groups, padding=padding, pad_values=pad_values, output=output
                ).model()
    graph = LceGraph()
    source = image = graph.tensor("float32", (1, 5, 5, OUTPUTS))
    for seed in range(2):
        signs = graph.tensor("int32", (1, 5, 5, 1))
        graph.custom("LceQuantize", [image], [signs])
        convolution = Convolution(channels_in=OUTPUTS, channels_out=OUTPUTS, seed=seed)
        total = graph.tensor("float32", (1, 5, 5, OUTPUTS))
        graph.add(convolution.append_to(graph, signs), image, total)
        image = total
    yield graph.serialize([source], [image])
    graph = LceGraph()
    source = graph.tensor("int8", (1, 6, 6, 40), scale=0.5, zero_point=3)
    signs = graph.tensor("int32", (1, 6, 6, 2))
    graph.custom("LceQuantize", [source], [signs])
    pooled = graph.tensor("int32", (1, 3, 3, 2))
    options = {"filter_height": 2, "filter_width": 2, "padding": 1, "stride_height": 2, "stride_width": 2}
    graph.custom("LceBMaxPool2d", [signs], [pooled], options)
    target = graph.tensor("int8", (1, 3, 3, 40), scale=0.5, zero_point=3)
    graph.custom("LceDequantize", [pooled], [target])
    yield graph.serialize([source], [target])


def write(folder: Path, models: Sequence[bytes]) -> int:
    """Write the seeds of the models and return how many there are now."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [*sparse_seeds()]
    for flatbuffer in (*models, *_small_models()):
        model = unpack(flatbuffer)
        for number, chain in enumerate(_chains(model)):
            seeds += [_encode(model, chain, number % 8, threads) for threads in (1, 3)]
    for seed in seeds:
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    return sum(1 for _ in folder.iterdir())


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[1]), [Path(name).read_bytes() for name in sys.argv[2:]])} seeds\n")
