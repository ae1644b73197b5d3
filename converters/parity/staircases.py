"""How the tensors that packed ops read were quantized."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tfkit.converters.flatbuffer import custom_options
from tfkit.converters.graph import Model, Op
from tfkit.converters.lowbit import bits
from tfkit.converters.weights import Constants, array, real


@dataclass(frozen=True)
class Staircase:
    """The quantization to few bits of a tensor that a packed op reads.

    Attributes:
        thresholds: of the floats that are quantized; None where the op in front holds others, on its sums.
        channels: of a tensor that such an op wrote; 0: the quantized tensor's own.
    """

    planes: int
    thresholds: np.ndarray | None
    level_bits: np.ndarray
    channels: int

    def levels(self, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
        """Recorded words as numbers of levels in ``shape``, [sample, ..., channel]; None when they are others'."""
        found = bits.levels(values, self.planes, self.channels or shape[-1], self.level_bits)
        if found is None or found.shape[0] != shape[0] or found.size != math.prod(shape):
            return None
        # Flattened images stay images.
        return found.reshape(shape) if self.channels or found.shape == shape else None


def staircases(model: Model) -> dict[int, Staircase]:
    """Tensors that packed ops read -> how they were quantized."""
    graph = model.main
    constants = Constants(graph)
    writers = {index: op for op in graph.ops for index in op.outputs}
    found = {}
    for tensor in {op.inputs[0] for op in graph.ops if bits.is_packed(op)}:
        op = _quantizing(writers, tensor)
        if op is None:
            continue
        position = 2 if op.name == bits.QUANTIZE else bits.LEVEL_BITS
        stored = constants.tensor(op.inputs[position])
        planes = custom_options(op).get("activation_planes" if op.name == bits.QUANTIZE else "output_planes")
        if stored is None or not isinstance(planes, int):
            continue
        thresholds, channels = None, 0
        if op.name == bits.QUANTIZE:
            steps = constants.tensor(op.inputs[1])
            thresholds = None if steps is None else real(steps).ravel()
        else:
            channels = bits.channels_out(op)
        found[tensor] = Staircase(planes, thresholds, array(stored).ravel(), channels)
    return found


def _quantizing(writers: Mapping[int, Op], tensor: int) -> Op | None:
    """The op that quantized a tensor, through poolings of its levels and other arrangements of its pixels."""
    while (op := writers.get(tensor)) is not None:
        if (op.name == bits.QUANTIZE and len(op.inputs) == 3) or bits.writes_levels(op):
            return op
        if op.name not in (bits.MAX_POOL, "RESHAPE"):
            return None
        tensor = op.inputs[0]
    return None
