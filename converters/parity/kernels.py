"""Shipped kernels against TFLite's reference kernels, op by op on the same inputs: <= 1 LSB each, nothing accumulates.

The reference kernels run the whole graph once, with every tensor an output (TFLite 2.14 computes some ops in place even
when it is asked to keep all tensors; outputs it does not touch). Each op is then cut out of the flatbuffer, run by the
shipped kernels (XNNPACK first) on the inputs that the reference had, and compared with its output.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op, Tensor
from tfkit.converters.parity.bounds import PER_OP, U32, sum_bound
from tfkit.converters.parity.recording import typed
from tfkit.converters.parity.result import Kernel
from tfkit.converters.weights import KERNEL_INPUT, Constants, real
from tfkit.runtime import Interpreter
from tfkit.runtime.backends import Backend


def compare_kernels(flatbuffer: bytes, arrays: Sequence[np.ndarray], backend: Backend) -> tuple[Kernel, ...]:
    """One entry per op of the main graph, the worst over the samples.

    An int8 op must agree to 1 LSB: both round the same real number to the nearest integer, and their fixed-point and
    float multipliers differ by less than half a step, so that neighbouring integers are the most they can give.
    """
    graph = fb.parse(flatbuffer).main
    constants = Constants(graph)
    writers = {index: n for n, op in enumerate(graph.ops) for index in op.outputs}
    ends = {*graph.inputs, *graph.outputs}
    hidden = [i for i in writers if i not in ends and constants.tensor(i) is None]
    reference = Interpreter(fb.with_outputs(flatbuffer, hidden), backend=backend, kernels="reference")
    size = reference.inputs[0].shape[0]
    worst: dict[int, Kernel] = {}
    singles: dict[int, Interpreter] = {}
    for start in range(0, len(arrays[0]) - size + 1, size):
        chunk = [a[start : start + size] for a in arrays]
        inputs = [typed(a, info) for a, info in zip(chunk, reference.inputs, strict=True)]
        values = dict(zip([*graph.outputs, *hidden], reference.run(inputs), strict=True))
        values |= dict(zip(graph.inputs, inputs, strict=True))
        for number, op in enumerate(graph.ops):
            fed = list(dict.fromkeys(i for i in op.inputs if i in values))
            if not fed or op.is_custom:
                continue
            if number not in singles:
                needed = {number} | _constant_ops(op, writers, constants)
                single = fb.extract(flatbuffer, needed, fed, op.outputs)
                singles[number] = Interpreter(single, backend=backend)
            outputs = singles[number].run([values[i] for i in fed])
            for index, got in zip(op.outputs, outputs, strict=True):
                entry = _judge(graph, op, index, got, values[index], values[fed[0]], constants)
                if number not in worst or entry.difference > worst[number].difference:
                    worst[number] = entry
    return tuple(worst[n] for n in sorted(worst))


def _constant_ops(op: Op, writers: dict[int, int], constants: Constants) -> set[int]:
    """The DEQUANTIZE and DENSIFY ops that bring this op its constants."""
    return {writers[i] for i in op.inputs if i in writers and constants.tensor(i) is not None}


def _judge(
    graph: Graph, op: Op, index: int, got: np.ndarray, wanted: np.ndarray, data: np.ndarray, constants: Constants
) -> Kernel:
    tensor = graph.tensors[index]
    if wanted.dtype.kind in "iu":
        difference = np.abs(got.astype(np.int64) - wanted.astype(np.int64)).max(initial=0)
        return Kernel(op.name, tensor.name, "LSB", float(difference), 1.0)
    scale = float(np.abs(wanted).max(initial=0.0)) or 1.0
    difference = float(np.abs(got - wanted).max(initial=0.0)) / scale
    return Kernel(op.name, tensor.name, "relative", difference, _float_bound(op, data, scale, constants))


def _float_bound(op: Op, data: np.ndarray, scale: float, constants: Constants) -> float:
    """Relative to the largest output, for an op that writes floats."""
    position = KERNEL_INPUT.get(op.name)
    kernel = constants.tensor(op.inputs[position]) if position is not None else None
    if kernel is None or data.dtype.kind != "f":
        return 2 * U32 * (PER_OP + max(data.size // max(len(data), 1), 1))
    sums = _channel_sums(op, kernel)
    magnitude = float(np.abs(data).max(initial=0.0)) * sums
    bound = sum_bound(int(np.prod(kernel.shape[1:])), magnitude)
    if kernel.type == "INT8":
        # Dynamic quantization: each side rounds the activations to 8 bits in its own way, symmetrically or not. One
        # is off by half a step of max|x| / 127 per value, the other by half of at most 2 max|x| / 255.
        bound += float(np.abs(data).max(initial=0.0)) / 127 * sums
    return bound / scale


def _channel_sums(op: Op, kernel: Tensor) -> float:
    """Largest sum of absolute weights over one output channel."""
    values = np.abs(real(kernel))
    axis = -1 if op.name == "DEPTHWISE_CONV_2D" else 0
    return float(np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1).sum(axis=1).max(initial=0.0))
