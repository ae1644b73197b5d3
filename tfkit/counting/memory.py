"""Which feature maps are stored, in how many bits, and how many bytes of them are alive at once.

What works in place costs nothing: reshapes and dropout always, normalizations and activation functions where nobody
else reads what they change. A map that is only read through signs is stored as bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.counting.calls import Call
from tfkit.layers import is_binary

keras = legacy_keras()
layers = keras.layers

_SAME_DATA = (
    layers.Flatten,
    layers.Reshape,
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.AlphaDropout,
    layers.ActivityRegularization,
)
_ELEMENTWISE = (
    layers.BatchNormalization,
    layers.ReLU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
    layers.ThresholdedReLU,
    layers.Activation,
    layers.Softmax,
    layers.Rescaling,
    layers.Normalization,
)


@dataclass(frozen=True)
class Stored:
    """One feature map in memory: made by ``maker``, a position in the list of calls."""

    maker: int
    values: int
    bits: int
    last_read: int

    @property
    def size(self) -> int:
        """Bytes."""
        return -(-self.values * self.bits // 8)


def inner(layer: Any) -> Any:
    """The layer inside a quantize or pruning wrapper."""
    return getattr(layer, "layer", layer)


def stored_maps(calls: Sequence[Call], outputs: Sequence[int]) -> list[Stored]:
    """Every feature map that is stored while the calls run, the model's inputs included."""
    readers: dict[int, list[int]] = {}
    for number, call in enumerate(calls):
        for tensor in call.inputs:
            readers.setdefault(tensor, []).append(number)
    home: dict[int, int] = {}  # tensor -> the tensor whose memory it lives in
    made: dict[int, tuple[int, int, str]] = {}  # tensor -> (call, values, kind)
    for number, call in enumerate(calls):
        shared = _in_place(call, readers, outputs)
        for tensor, shape in zip(call.outputs, call.output_shapes, strict=True):
            if shared:
                home[tensor] = home[call.inputs[0]]
                maker, values, _ = made[home[tensor]]
                if _is_quantized(call.layer):
                    made[home[tensor]] = maker, values, "int8"
            else:
                home[tensor] = tensor
                made[tensor] = number, prod(shape), "int8" if _is_quantized(call.layer) else "float32"
    found = []
    for tensor, (maker, values, kind) in made.items():
        members = [other for other, owner in home.items() if owner == tensor]
        uses = [number for member in members for number in readers.get(member, ())]
        outside = [number for number in uses if not any(home[made_] == tensor for made_ in calls[number].outputs)]
        leaves = any(member in outputs for member in members)
        signs = bool(outside) and not leaves and all(_reads_signs(calls[number].layer) for number in outside)
        bits = 1 if signs else 8 if kind == "int8" else 32
        last = len(calls) if leaves else max(uses, default=maker)
        found.append(Stored(maker, values, bits, last))
    return found


def peak_bytes(maps: Sequence[Stored], calls: int) -> int:
    """The most bytes of feature maps that are alive during one call: what it reads, what it makes, what waits."""
    return max(
        (sum(found.size for found in maps if found.maker <= moment <= found.last_read) for moment in range(calls)),
        default=0,
    )


def _in_place(call: Call, readers: dict[int, list[int]], outputs: Sequence[int]) -> bool:
    if len(call.inputs) != 1 or len(call.outputs) != 1:
        return False
    layer = inner(call.layer)
    if isinstance(layer, _SAME_DATA):
        return True
    alone = len(readers[call.inputs[0]]) == 1 and call.inputs[0] not in outputs
    return alone and (isinstance(layer, _ELEMENTWISE) or type(layer).__name__ == "QuantizeLayer")


def _is_quantized(layer: Any) -> bool:
    return type(layer).__name__.startswith(("QuantizeWrapper", "QuantizeLayer"))


def _reads_signs(layer: Any) -> bool:
    return is_binary(getattr(inner(layer), "input_quantizer", None))
