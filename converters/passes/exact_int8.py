"""Quantized kernels in an int8 flatbuffer hold their own integers, with scales that make them exact.

Post-training quantization takes the largest weight of a channel for 127 and rounds the others to what lies nearest.
Levels that are integers times one scale need no rounding: the integers are the weights, and the scale follows from the
largest one. Ternary, power-of-two, fixed-point and few-bit kernels then lose nothing in int8. The bias counts in units
of input scale times weight scale and is rounded to the new ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfkit.converters import flatbuffer as fb
from tfkit.converters.declared import declared_layers
from tfkit.converters.graph import Graph, Quantization
from tfkit.converters.ledger import match
from tfkit.converters.lowbit.unpacked import Packed
from tfkit.converters.lowbit.weight_only import Coded, coded_kernels
from tfkit.converters.passes.packed_weights import write
from tfkit.converters.reasons import Reason
from tfkit.converters.weights import KERNEL_INPUT, WeightOp, array, canonical, weight_ops

LARGEST = 127  # int8 kernels may rely on weights above -128
_BIAS = 2
# How far a weight may lie from where the converter put it, in steps of the converter's scale.
_ROUNDED, _KEPT = 1.0, 1e-3


def exact_integers(
    model: Any, flatbuffer: bytes, *, pack: bool, trained: bool
) -> tuple[bytes, Mapping[str, Reason | None]]:
    """The flatbuffer with exact kernels, and path -> None or why it is not, of layers with quantized kernels in int8.

    ``pack``: store them in the bits of their levels too. ``trained``: quantization-aware training has seen how int8
    rounds; kernels then keep their values, and only those whose levels int8 holds anyway are exact.
    """
    layers = declared_layers(model)
    graph = fb.parse(flatbuffer).main
    edit = fb.Edit(flatbuffer)
    uses = Counter(index for op in graph.ops for index in set(op.inputs))
    told: dict[str, Reason | None] = {}
    for declared, (ops, _) in zip(layers, match(layers, weight_ops(graph)), strict=True):
        plain = [op for op in ops if op.precision == "int8" and not op.op.is_custom]
        if not declared.is_binary or not plain:
            continue
        coded = coded_kernels(declared)
        for op in plain:
            found = _exact(graph, op, coded, uses, _KEPT if trained else _ROUNDED)
            if isinstance(found, Reason):
                told[declared.name] = found
                continue
            told.setdefault(declared.name, None)
            _write(edit, graph, op, *found, pack=pack)
    return edit.serialize() if None in told.values() else flatbuffer, told


def _exact(
    graph: Graph, op: WeightOp, coded: list[Coded | Reason], uses: Mapping[int, int], within: float
) -> tuple[np.ndarray, np.ndarray] | Reason:
    """(integers, scales) of an op's kernel: [channel, products] and [channel]."""
    index = op.op.inputs[KERNEL_INPUT[op.op.name]]
    tensor = graph.tensors[index]
    if not tensor.is_constant or tensor.quantization is None or any(uses[i] > 1 for i in op.op.inputs[1:] if i >= 0):
        return Reason("shared", f"the weights of {op.op.name} are shared or stored otherwise", "")
    stored = canonical(op.op, array(tensor)).astype(np.int64)
    for candidate in coded:
        if isinstance(candidate, Coded) and candidate.numbers.shape == stored.shape:
            found = _integers(candidate, stored, tensor.quantization, within)
            if found is not None:
                return found
    reasons = [c for c in coded if isinstance(c, Reason)]
    if reasons:
        return reasons[0]
    return Reason(
        "not_integers",
        "its levels are no int8 integers times one scale a channel, so they are rounded to the nearest of those",
        "use format lowbit or auto without calibration data, which keep them as they are",
    )


def _integers(
    coded: Coded, stored: np.ndarray, found: Quantization, within: float
) -> tuple[np.ndarray, np.ndarray] | None:
    if coded.codes.shape[1] > 1:
        return None
    codes = coded.codes[coded.numbers, 0]
    # A channel that batch normalization has turned around: scales are positive.
    codes = codes * np.where(np.einsum("cp,cp->c", codes, stored) < 0, -1, 1)[:, None]
    largest, per_channel = np.abs(codes).max(axis=1), len(found.scale) > 1
    if largest.max(initial=0) > LARGEST or codes.min(initial=0) < -LARGEST:
        return None
    if not per_channel:
        largest = np.broadcast_to(largest.max(), largest.shape)
    scales = np.where(largest > 0, found.scale * np.float32(LARGEST) / np.maximum(largest, 1), found.scale)
    close = np.abs(codes * (scales / found.scale)[:, None] - stored) <= within
    return (codes, scales.astype(np.float32)) if close.all() and not found.zero_point.any() else None


def _write(edit: fb.Edit, graph: Graph, op: WeightOp, integers: np.ndarray, scales: np.ndarray, *, pack: bool) -> None:
    index = op.op.inputs[KERNEL_INPUT[op.op.name]]
    tensor = graph.tensors[index]
    found = tensor.quantization
    assert found is not None  # _exact has looked
    one = len(found.scale) == 1
    values = np.empty(integers.size, np.int64)
    values[canonical(op.op, np.arange(integers.size).reshape(tensor.shape)).ravel()] = integers.ravel()
    edit.requantize(index, values.astype(np.int8), scales[:1] if one else scales)
    if len(op.op.inputs) > _BIAS and op.op.inputs[_BIAS] >= 0:
        bias = graph.tensors[op.op.inputs[_BIAS]]
        data = graph.tensors[op.op.inputs[0]].quantization
        if bias.quantization is not None and data is not None and bias.is_constant:
            units = np.float32(data.scale[0]) * (scales[:1] if one else scales)
            reals = array(bias).astype(np.float64) * bias.quantization.scale
            counted = np.clip(np.round(reals / units), -(2**31), 2**31 - 1)
            edit.requantize(op.op.inputs[_BIAS], counted.astype(np.int32), units)
    if pack:
        present, numbers = np.unique(values, return_inverse=True)
        write(edit, index, Packed(numbers.ravel(), present[:, None], None, 1))
