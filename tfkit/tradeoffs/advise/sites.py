"""The ops of a flatbuffer as places where time is spent: what each one's time depends on, and its size in numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op
from tfkit.converters.inspection import OpReport, inspect
from tfkit.converters.semantics import BITS
from tfkit.converters.weights import KERNEL_INPUT, Constants


@dataclass(frozen=True)
class Site:
    """One op in its place.

    Attributes:
        index: of the op in the main graph.
        key: the same for ops that take the same time: op, shapes, types, options, and the names of the ops around,
            which decide what is fused. Weights do not count, only whether they are stored sparse and how much is left.
        kind: what ops are compared with each other for: "CONV_2D 3x3 float32".
        macs: multiply-accumulates.
        traffic: bytes of activations read and written.
        weight_bytes: of its constants.
        channels: of its output, the last axis.
    """

    index: int
    key: str
    kind: str
    macs: int
    traffic: int
    weight_bytes: int
    channels: int


def sites(flatbuffer: bytes) -> tuple[Site, ...]:
    """Every op of the main graph, in order of execution. Raises ``ModelError`` for what is no sound flatbuffer."""
    graph = fb.parse(flatbuffer).main
    reports = inspect(flatbuffer).ops
    around = _Neighbours(graph)
    constants = Constants(graph)
    return tuple(_site(graph, op, report, around, constants) for op, report in zip(graph.ops, reports, strict=True))


class _Neighbours:
    """Names of the ops that write what an op reads, and of those that read what it writes."""

    def __init__(self, graph: Graph) -> None:
        self._writer = {tensor: op.name for op in graph.ops for tensor in op.outputs}
        self._readers: dict[int, list[str]] = {}
        for op in graph.ops:
            for tensor in op.inputs:
                self._readers.setdefault(tensor, []).append(op.name)
        for tensor in graph.outputs:
            self._readers.setdefault(tensor, []).append("output")

    def of(self, op: Op) -> tuple[list[str], list[str]]:
        before = [self._writer[tensor] for tensor in op.inputs if tensor in self._writer]
        after = sorted(name for tensor in op.outputs for name in self._readers.get(tensor, ()))
        return before, after


def _site(graph: Graph, op: Op, report: OpReport, around: _Neighbours, constants: Constants) -> Site:
    held = [index for index in op.inputs if index >= 0 and constants.tensor(index) is not None]
    moved = [index for index in (*op.inputs, *op.outputs) if index >= 0 and index not in held]
    before, after = around.of(op)
    description = {
        "op": op.name,
        "version": op.version,
        "options": _plain(op.options),
        "custom": _plain(fb.custom_options(op)),
        "inputs": [_tensor(graph, index, constants) for index in op.inputs],
        "outputs": [_tensor(graph, index, constants) for index in op.outputs],
        "before": before,
        "after": after,
    }
    shape = report.shape
    return Site(
        index=report.index,
        key=hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:24],
        kind=_kind(graph, op, report),
        macs=report.macs,
        traffic=sum(_bytes(graph, index) for index in moved),
        weight_bytes=report.weight_bytes,
        channels=shape[-1] if shape else 1,
    )


def _tensor(graph: Graph, index: int, constants: Constants) -> list[Any] | None:
    if index < 0:
        return None
    tensor = graph.tensors[index]
    constant = constants.tensor(index)
    left = None
    if constant is not None and constant.sparsity is not None and constant.data is not None:
        # In tenths: a kernel for zeros takes time with what is left of the weights.
        left = round(10 * np.count_nonzero(constant.data) / max(1, len(constant.data)))
    return [tensor.type, list(tensor.shape), constant is not None, left, len(constants.stored(index))]


def _kind(graph: Graph, op: Op, report: OpReport) -> str:
    """Op, size of its window, precision: ops of one kind run on one kernel, or on a few."""
    position = KERNEL_INPUT.get(op.name)
    window = ""
    if op.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "LceBconv2d") and position is not None:
        height, width = graph.tensors[op.inputs[position]].shape[1:3]
        window = f"{height}x{width} "
    elif "filterHeight" in op.options:
        window = f"{op.options['filterHeight']}x{op.options['filterWidth']} "
    return f"{op.name} {window}{report.precision}"


def _bytes(graph: Graph, index: int) -> int:
    tensor = graph.tensors[index]
    return int(np.prod(tensor.shape, dtype=np.int64)) * BITS.get(tensor.type, 32) // 8


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options in a form that is the same in every run."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else _scalar(value) for name, value in options.items()
    }


def _scalar(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | None.__class__) else repr(value)
