"""The float ops between a few-bit convolution and the next quantizer, as functions of one channel's value.

Each rounds as the op does: one float32 operation, one rounding. All of them rise or fall with their input, wherever
they have a value at all, so that a quantizer behind them still parts the convolution's sums in intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfkit.converters.graph import Graph, Op
from tfkit.converters.weights import Constants, real

Function = Callable[[np.ndarray], np.ndarray]
# ActivationFunctionType of the schema -> (lowest, highest).
_CLAMPS = {
    0: (None, None),
    1: (np.float32(0), None),
    2: (np.float32(-1), np.float32(1)),
    3: (np.float32(0), np.float32(6)),
}
_ACTIVATIONS = {"RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
_OPERATIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "DIV": np.divide, "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
}  # fmt: skip
NAMES = (*_OPERATIONS, *_ACTIVATIONS, "RELU_0_TO_1", "LEAKY_RELU", "PRELU")


@dataclass(frozen=True)
class Affine:
    """``y = x * factor + offset``, float64 [channels] or scalars."""

    factor: np.ndarray
    offset: np.ndarray


def data_input(graph: Graph, constants: Constants, op: Op) -> int | None:
    """The one input of an op of ``NAMES`` that is no constant; None when there are more."""
    free = [index for index in op.inputs if index >= 0 and constants.tensor(index) is None]
    if op.name not in NAMES or len(free) != 1 or len(op.outputs) != 1:
        return None
    source, target = (graph.tensors[index] for index in (free[0], op.outputs[0]))
    alike = source.shape == target.shape and source.type == target.type == "FLOAT32"
    return free[0] if alike else None


def function(graph: Graph, constants: Constants, op: Op, channels: int) -> Function | None:
    """What the op does to values [..., channels]; None for one that differs within a channel or does not rise."""
    if op.name in _ACTIVATIONS:
        return _clamped(_ACTIVATIONS[op.name])
    if op.name == "RELU_0_TO_1":
        return lambda x: np.minimum(np.maximum(x, np.float32(0)), np.float32(1))
    if op.name == "LEAKY_RELU":
        return _leaky(np.asarray(op.options.get("alpha", np.nan), np.float32))
    other = _constant(graph, constants, op, channels)
    if other is None:
        return None
    if op.name == "PRELU":
        return _leaky(other)
    arithmetic = _arithmetic(op.name, other, second=constants.tensor(op.inputs[1]) is not None)
    clamp = _clamped(op.options.get("fusedActivationFunction", 0))
    if arithmetic is None or clamp is None:
        return None
    return lambda x: clamp(arithmetic(x))


def affine(graph: Graph, constants: Constants, op: Op, channels: int) -> Affine | None:
    """The op without its fused activation as factor and offset; None for another op."""
    if op.name not in ("ADD", "SUB", "MUL", "DIV"):
        return None
    other = _constant(graph, constants, op, channels)
    second = constants.tensor(op.inputs[1]) is not None
    if other is None or (not second and op.name == "DIV"):
        return None
    value, one, zero = other.astype(np.float64), np.ones(()), np.zeros(())
    if op.name == "MUL":
        return Affine(value, zero)
    if op.name == "DIV":
        return Affine(1 / value, zero) if value.all() else None
    if op.name == "ADD":
        return Affine(one, value)
    return Affine(one, -value) if second else Affine(-one, value)


def of_fused_activation(code: int) -> Function | None:
    """What an op's fused activation does to its result; None for an unknown one."""
    return _clamped(code)


def composed(functions: Sequence[Function]) -> Function:
    """One after the other."""

    def all_of_them(x: np.ndarray) -> np.ndarray:
        for one in functions:
            x = one(x)
        return x

    return all_of_them


def _clamped(code: int) -> Function | None:
    if code not in _CLAMPS:
        return None
    low, high = _CLAMPS[code]

    def clamp(x: np.ndarray) -> np.ndarray:
        x = x if low is None else np.maximum(x, low)
        return x if high is None else np.minimum(x, high)

    return clamp


def _leaky(slope: np.ndarray) -> Function | None:
    if not (np.asarray(slope) >= 0).all():
        return None
    return lambda x: np.where(x < 0, x * slope, x)


def _arithmetic(name: str, other: np.ndarray, *, second: bool) -> Function | None:
    if name == "DIV" and (not second or not other.all()):
        return None
    operation = _OPERATIONS[name]
    return (lambda x: operation(x, other)) if second else (lambda x: operation(other, x))


def _constant(graph: Graph, constants: Constants, op: Op, channels: int) -> np.ndarray | None:
    """The op's constant as a scalar or [channels]; None when it differs from place to place."""
    found = [tensor for index in op.inputs if (tensor := constants.tensor(index)) is not None]
    if len(found) != 1 or found[0].type not in ("FLOAT32", "FLOAT16"):
        return None
    values = real(found[0])
    if values.size == 1:
        return values.reshape(())
    if values.size != values.shape[-1] or values.size % channels:
        return None
    # Behind a flattening, feature i is of channel i % channels.
    rows = values.reshape(-1, channels)
    return rows[0] if (rows == rows[0]).all() and np.isfinite(rows).all() else None
