"""Packed ops of a flatbuffer, read back: options, precision, the values of their weights."""

from __future__ import annotations

import numpy as np

from tfkit._errors import ModelError
from tfkit.converters import flatbuffer as fb
from tfkit.converters.graph import Graph, Op, Tensor

QUANTIZE = "TfkitKBitQuantize"
CONVOLUTION, DENSE = "TfkitKBitConv2D", "TfkitKBitDense"
CONVOLUTIONS = (CONVOLUTION, DENSE)
MAX_POOL = "TfkitKBitMaxPool2D"
MOST_PLANES = 8
# Inputs of a packed op that writes levels: those of one that writes floats, and these.
THRESHOLDS, LEVEL_BITS, FALLING, LEVEL_INPUTS = 4, 5, 6, 7


def is_packed(op: Op) -> bool:
    """Whether this is a packed convolution or dense layer."""
    return op.is_custom and op.name in CONVOLUTIONS


def writes_levels(op: Op) -> bool:
    """Whether a packed op holds the quantizer behind it, and writes bits instead of floats."""
    return is_packed(op) and len(op.inputs) == LEVEL_INPUTS


def options(op: Op) -> dict[str, int]:
    """The integers of a packed op that sizes follow from; raises ``ModelError`` where they make no sense."""
    found = fb.custom_options(op)
    names = ("weight_planes", "activation_planes", "channels_in", "channels_out", "kernel_height", "kernel_width")
    result = {}
    for name in names:
        value = found.get(name)
        if not isinstance(value, int) or not 1 <= value < 2**31:
            raise ModelError(f"the flatbuffer is damaged: {op.name} has {name} = {value!r}")
        result[name] = value
    if result["weight_planes"] > MOST_PLANES or result["activation_planes"] > MOST_PLANES:
        raise ModelError(f"the flatbuffer is damaged: {op.name} has {result['weight_planes']} weight planes")
    return {**{k: int(v) for k, v in found.items() if isinstance(v, int)}, **result}


def precision(op: Op) -> str:
    """ "W2A2": bits of a weight and of an activation."""
    found = options(op)
    return f"W{found['weight_planes']}A{found['activation_planes']}"


def levels_written(op: Op) -> str:
    """ "A2": the bits of the values that a packed op writes instead of floats."""
    return f"A{fb.custom_options(op).get('output_planes', '?')}"


def channels_out(op: Op) -> int:
    """Output channels."""
    return options(op)["channels_out"]


def depth(op: Op) -> int:
    """Products in a sum."""
    found = options(op)
    return found["kernel_height"] * found["kernel_width"] * found["channels_in"]


def largest_sum(op: Op) -> int:
    """Largest magnitude that a sum of the op's products of integers can have."""
    found = options(op)
    most = 1
    for what in ("weight", "activation"):
        lowest, step = found.get(f"{what}_lowest", 0), found.get(f"{what}_step", 1)
        top = 1 if found.get("bases", 0) else 2 ** found[f"{what}_planes"] - 1
        most *= max(abs(lowest), abs(lowest + step * top))
    return most * depth(op)


def weights(graph: Graph, op: Op, stored: Tensor) -> np.ndarray:
    """The real weights up to one factor a channel, [channels out, products]."""
    found = options(op)
    planes, channels, length = found["weight_planes"], found["channels_out"], depth(op)
    count = planes * channels * length
    words = np.ascontiguousarray(stored.data if stored.data is not None else np.zeros(0, np.uint8))
    if len(words) * 8 < count:
        raise ModelError(f"the flatbuffer is damaged: {op.name} has {len(words)} bytes of weights for {count} bits")
    bits = np.unpackbits(words, bitorder="little")[:count].reshape(planes, channels, length).astype(np.float32)
    lowest, step = found.get("weight_lowest", 0), found.get("weight_step", 1)
    if not found.get("bases", 0):
        return np.asarray(lowest + step * np.tensordot(2.0 ** np.arange(planes), bits, 1), np.float32)
    scales = graph.tensors[op.inputs[2]]
    terms = planes * found["activation_planes"]
    if scales.data is None or len(scales.data) < 4 * terms * channels:
        raise ModelError(f"the flatbuffer is damaged: {op.name} has too few scales")
    per_term = scales.data[: 4 * terms * channels].view(np.float32).reshape(planes, -1, channels)
    # Scales are those of weights times those of activations: one activation plane that counts tells the weights'.
    plane = int(np.abs(per_term).sum((0, 2)).argmax())
    return np.asarray(np.einsum("ic,icd->cd", per_term[:, plane], lowest + step * bits), np.float32)


def levels(values: np.ndarray, planes: int, channels: int, level_bits: np.ndarray) -> np.ndarray | None:
    """Recorded words [..., planes * words] as numbers of levels [..., channels]; None when they are others'."""
    words = -(-channels // 32)
    if values.shape[-1] != planes * words:
        return None
    as_bytes = np.ascontiguousarray(values.reshape(*values.shape[:-1], planes, words)).astype("<i4").view(np.uint8)
    bits = np.unpackbits(as_bytes, axis=-1, bitorder="little")[..., :channels].astype(np.int64)
    codes = (bits << np.arange(planes)[:, None]).sum(-2)
    table = np.full(2**planes, -1)
    table[level_bits] = np.arange(len(level_bits))
    found = table[codes]
    return None if (found < 0).any() else found
