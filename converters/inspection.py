"""What a flatbuffer holds: ops, precision, multiply-accumulates, weight bytes, peak activation bytes. No TensorFlow."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfkit._errors import ModelError
from tfkit._units import format_bytes
from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op
from tfkit.converters.lowbit import bits as packed
from tfkit.converters.lowbit.unpacked import UNPACK
from tfkit.converters.passes.metadata import ENTRY, read_metadata
from tfkit.converters.semantics import BITS
from tfkit.converters.weights import DTYPES, KERNEL_INPUT, Constants, channels_per_group, precision

SCHEMA_VERSION = 1
KINDS = ("binary", "few-bit", "int8", "float")


@dataclass(frozen=True)
class OpReport:
    """One op; ``macs`` multiply-accumulates per invocation, ``weight_bytes`` of its constants.

    Of the ``macs``, ``nonzero_macs`` have a weight that is not zero: fewer where the weights are stored sparse.
    """

    index: int
    name: str
    version: int
    is_custom: bool
    precision: str
    output: str
    shape: tuple[int, ...]
    macs: int
    nonzero_macs: int
    weight_bytes: int


@dataclass(frozen=True)
class End:
    """An input or output."""

    name: str
    type: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None


@dataclass(frozen=True)
class Inspection:
    """The whole report; MACs by kind of arithmetic, ``binary``, ``few-bit``, ``int8`` (also mixed) and ``float``."""

    bytes: int
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    ops: tuple[OpReport, ...]
    macs_by_kind: Mapping[str, int]
    weight_bytes: int
    peak_activation_bytes: int
    custom_ops: tuple[str, ...]
    metadata: Mapping[str, Any] | None
    notes: tuple[str, ...]

    @property
    def macs(self) -> int:
        return sum(self.macs_by_kind.values())

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; the same content as the table."""
        return {"schema_version": SCHEMA_VERSION, "macs": self.macs, **asdict(self)}

    def table(self) -> str:
        """Lines for people."""
        rows = [("op", "precision", "output", "MACs", "weights")]
        for op in self.ops:
            shape = "x".join(map(str, op.shape)) or "scalar"
            rows.append((op.name, op.precision, shape, str(op.macs) if op.macs else "", _size(op.weight_bytes)))
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        counts = Counter(op.name for op in self.ops)
        lines.append("ops: " + ", ".join(f"{n} {name}" for name, n in counts.most_common()))
        for what, ends in (("input", self.inputs), ("output", self.outputs)):
            for end in ends:
                shape = "x".join(map(str, end.shape))
                grid = f", scale {end.scale:g}, zero point {end.zero_point}" if end.scale is not None else ""
                lines.append(f"{what}: {end.name} {end.type} {shape}{grid}")
        macs = ", ".join(f"{self.macs_by_kind[kind]} {kind}" for kind in KINDS if self.macs_by_kind[kind]) or "0"
        lines.append(f"MACs: {macs}")
        lines.append(f"file: {format_bytes(self.bytes)}, weights: {format_bytes(self.weight_bytes)}")
        lines.append(f"peak activations: {format_bytes(self.peak_activation_bytes)}")
        lines.append(f"custom ops: {', '.join(self.custom_ops) or 'none'}")
        if self.metadata:
            plain = {k: v for k, v in self.metadata.items() if k != "rewritten"}
            lines.append("metadata: " + ", ".join(f"{k} {v}" for k, v in sorted(plain.items())))
            rewritten = self.metadata.get("rewritten")
            if isinstance(rewritten, Mapping):  # a file may hold anything here
                lines.append("rewritten: " + ", ".join(f"{layer} ({how})" for layer, how in rewritten.items()))
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def inspect(flatbuffer: str | os.PathLike[str] | bytes) -> Inspection:
    """Report on a flatbuffer, given as a path or as bytes.

    Raises:
        ModelError: not to be read, or no sound flatbuffer.
    """
    data = read_bytes(flatbuffer)
    model = fb.parse(data)
    graph = model.main
    constants = Constants(graph)
    uncounted: set[str] = set()
    ops = tuple(_report(graph, index, op, constants, uncounted) for index, op in enumerate(graph.ops))
    by_kind = dict.fromkeys(KINDS, 0)
    for op in ops:
        by_kind[_kind(op)] += op.macs
    notes = [f"MACs of {name} are not counted" for name in sorted(uncounted)]
    if len(model.graphs) > 1:
        notes.append(f"{len(model.graphs) - 1} further graphs (loops, conditions) are not counted")
    seen = {t.buffer: len(t.data) for g in model.graphs for t in g.tensors if t.data is not None}
    return Inspection(
        bytes=len(data),
        inputs=tuple(_end(graph, i) for i in graph.inputs),
        outputs=tuple(_end(graph, i) for i in graph.outputs),
        ops=ops,
        macs_by_kind=by_kind,
        weight_bytes=sum(seen.values()),
        peak_activation_bytes=peak_activation_bytes(graph),
        custom_ops=tuple(sorted({op.name for g in model.graphs for op in g.ops if op.is_custom})),
        metadata=read_metadata(data) if ENTRY in model.metadata else None,
        notes=tuple(notes),
    )


def read_bytes(flatbuffer: str | os.PathLike[str] | bytes) -> bytes:
    """The bytes of a flatbuffer given as path or bytes; raises ``ModelError`` when the file cannot be read."""
    if isinstance(flatbuffer, bytes | bytearray | memoryview):
        return bytes(flatbuffer)
    try:
        return Path(flatbuffer).read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {flatbuffer}: {error.strerror}; give the path of a .tflite file") from error


def peak_activation_bytes(graph: Graph) -> int:
    """Most bytes of activations alive at once, over the order of execution: what an arena needs at least.

    A tensor lives from the op that writes it (inputs: from the start) to the last op that reads it (outputs: to the
    end). Kernels' scratch buffers come on top.
    """
    constants = Constants(graph)
    end = len(graph.ops)
    first = dict.fromkeys(graph.inputs, 0)
    last = dict.fromkeys(graph.inputs, 0)
    for number, op in enumerate(graph.ops):
        for index in op.outputs:
            first.setdefault(index, number)
            last[index] = max(last.get(index, number), number)
        for index in op.inputs:
            if index in first:
                last[index] = number
    for index in graph.outputs:
        if index in first:
            last[index] = end
    change = [0] * (end + 2)
    for index, start in first.items():
        if constants.tensor(index) is None:
            size = _tensor_bytes(graph, index)
            change[start] += size
            change[last[index] + 1] -= size
    alive = peak = 0
    for delta in change:
        alive += delta
        peak = max(peak, alive)
    return peak


def _tensor_bytes(graph: Graph, index: int) -> int:
    tensor = graph.tensors[index]
    return (math.prod(tensor.shape) * BITS.get(tensor.type, 0) + 7) // 8


def _size(count: int) -> str:
    return format_bytes(count) if count else ""


def _kind(op: OpReport) -> str:
    if op.name in packed.CONVOLUTIONS:
        return "few-bit"
    return "binary" if op.precision == "binary" else "int8" if "int8" in op.precision else "float"


def _end(graph: Graph, index: int) -> End:
    tensor = graph.tensors[index]
    found = tensor.quantization
    per_tensor = found is not None and len(found.scale) == 1
    return End(
        tensor.name,
        tensor.type.lower(),
        tensor.shape_signature,
        float(found.scale[0]) if found is not None and per_tensor else None,
        int(found.zero_point[0]) if found is not None and per_tensor else None,
    )


def _report(graph: Graph, index: int, op: Op, constants: Constants, uncounted: set[str]) -> OpReport:
    output = graph.tensors[op.outputs[0]] if op.outputs else None
    stored = {t.buffer: len(t.data) for i in op.inputs for t in constants.stored(i) if t.data is not None}
    if op.name in ("DEQUANTIZE", "DENSIFY", UNPACK) and stored:
        stored = {}  # counted where the constant is used
    macs = _macs(graph, op, constants, uncounted)
    return OpReport(
        index=index,
        name=op.name,
        version=op.version,
        is_custom=op.is_custom,
        precision=_precision(graph, op, constants),
        output=output.name if output else "",
        shape=output.shape if output else (),
        macs=macs,
        nonzero_macs=round(macs * _nonzero_share(op, constants)),
        weight_bytes=sum(stored.values()),
    )


def _nonzero_share(op: Op, constants: Constants) -> float:
    position = KERNEL_INPUT.get(op.name)
    kernel = constants.tensor(op.inputs[position]) if position is not None and position < len(op.inputs) else None
    if kernel is None or kernel.sparsity is None or kernel.data is None or kernel.type not in DTYPES:
        return 1.0
    stored = np.frombuffer(kernel.data, DTYPES[kernel.type])
    return int(np.count_nonzero(stored)) / max(1, math.prod(kernel.shape))


def _precision(graph: Graph, op: Op, constants: Constants) -> str:
    position = KERNEL_INPUT.get(op.name)
    kernel = constants.tensor(op.inputs[position]) if position is not None and position < len(op.inputs) else None
    if kernel is not None and position is not None and kernel.type in DTYPES:
        found = precision(graph, op, kernel, constants.bits(op.inputs[position]))
        return f"{found} to {packed.levels_written(op)}" if packed.writes_levels(op) else found
    if op.name == packed.MAX_POOL:
        return f"A{fb.custom_options(op).get('activation_planes', '?')}"
    if op.name == UNPACK and op.outputs:
        return f"W{constants.bits(op.outputs[0])} to {graph.tensors[op.outputs[0]].type.lower()}"
    if op.name.startswith("Lce"):
        return "binary"
    if op.name == packed.QUANTIZE:
        return f"float32 to A{fb.custom_options(op).get('activation_planes', '?')}"
    names = {graph.tensors[i].type for i in (*op.inputs, *op.outputs) if i >= 0 and constants.tensor(i) is None}
    return " to ".join(sorted(name.lower() for name in names)) or "-"


def _macs(graph: Graph, op: Op, constants: Constants, uncounted: set[str]) -> int:
    """Multiply-accumulates: outputs times the terms of one; a transposed convolution scatters: inputs times terms."""
    position = KERNEL_INPUT.get(op.name)
    if position is None or position >= len(op.inputs) or not op.outputs:
        if op.name.endswith("LSTM") or "RNN" in op.name:
            uncounted.add(op.name)
        return 0
    kernel = graph.tensors[op.inputs[position]].shape
    out = math.prod(graph.tensors[op.outputs[0]].shape)
    if op.name == "LceBconv2d" and len(kernel) == 4:
        places = math.prod(graph.tensors[op.outputs[0]].shape[:-1])  # the channels may be packed into words
        return places * kernel[0] * kernel[1] * kernel[2] * channels_per_group(op, kernel[3])
    if packed.is_packed(op):
        # The output may be packed into words.
        return math.prod(graph.tensors[op.outputs[0]].shape[:-1]) * packed.channels_out(op) * packed.depth(op)
    if op.name == "DEPTHWISE_CONV_2D" and len(kernel) == 4:
        return out * kernel[1] * kernel[2]
    if op.name in ("CONV_2D", "FULLY_CONNECTED") and len(kernel) >= 2:
        return out * math.prod(kernel[1:])
    if op.name == "TRANSPOSE_CONV" and len(kernel) == 4 and len(op.inputs) > 2:
        return math.prod(graph.tensors[op.inputs[2]].shape) * math.prod(kernel[:3])
    if op.name == "CONV_3D" and len(kernel) == 5:
        return out * math.prod(kernel[:4])
    if op.name == "BATCH_MATMUL" and len(kernel) >= 2:
        return out * (kernel[-1] if op.options.get("adjY") else kernel[-2])
    uncounted.add(op.name)
    return 0
