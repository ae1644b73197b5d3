"""What a device must compute, and how exactly.

The reference is the host: stock ops by LiteRT's own kernels (XNNPACK), tfkit's ops by their reference kernels.
TFLite's reference kernels are no reference for stock int8 ops on a device: they round differently from XNNPACK, by up
to 1 LSB per op, and the ends of a deep network then differ by several; XNNPACK's integer arithmetic is defined to the
bit and gives the same integers on x86 and Arm.

Exact, bit for bit: models in which every op that makes floats moves, compares, scales or selects them one by one.

Other float arithmetic (sums in convolutions, dense layers, means; approximations of exp) depends on the machine. A sum
of K terms then differs by about sqrt(K) * 2^-24 of its size; 2^-18 covers K = 4096. How much that moves the output is
the model's own property - it is tiny for a smooth network, and a jump where a value next to zero is binarized - so it
is measured: the host runs inputs disturbed by a relative 2^-18, and twice the largest movement is allowed, at least
1e-5 of the output's largest value. Of several candidate inputs the first that moves less than that is taken: with it
no binarized value lies next to zero, and the check is a sharp one. (Bi-Real-18 with random weights: 1 input in 3; its
outputs on x86 and on Arm then differ by 1e-6.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tfkit.converters import flatbuffer
from tfkit.runtime import Interpreter

DISTURBANCE = 2.0**-18
DISTURBED_RUNS = 8
SAFETY = 2.0
FLOOR = 1e-5

# Ops whose float results are the same on every IEEE machine: each element is moved, compared, scaled or selected.
_EXACT = frozenset(
    {"ABS", "CAST", "CONCATENATION", "DEPTH_TO_SPACE", "DEQUANTIZE", "EXPAND_DIMS", "GATHER", "LEAKY_RELU", "MAXIMUM"}
    | {"MAX_POOL_2D", "MINIMUM", "NEG", "PACK", "PAD", "PADV2", "PRELU", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1"}
    | {"RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "SLICE", "SPACE_TO_DEPTH", "SPLIT", "SQUEEZE", "STRIDED_SLICE"}
    | {"TRANSPOSE", "UNPACK", "LceQuantize", "LceDequantize", "LceBconv2d", "LceBMaxPool2d"}
)
_FLOATS = frozenset({"FLOAT16", "FLOAT32", "FLOAT64"})


@dataclass(frozen=True)
class Golden:
    """What to run and what to expect.

    ``candidate`` is the index of the inputs among those that were offered. ``relative`` is the tolerance for floats, in
    units of an output's largest magnitude; ``integer``, in steps, that for everything else; ``reason`` says where both
    come from.
    """

    inputs: list[np.ndarray]
    outputs: list[np.ndarray]
    candidate: int
    relative: float
    integer: int
    reason: str


def make(data: bytes, candidates: Iterable[Sequence[np.ndarray]]) -> Golden:
    """Choose among candidate inputs, run the host reference on them and derive the tolerances.

    Raises:
        InferenceError: the host cannot run the model.
    """
    reference = Interpreter(data, kernel="reference")
    ops = inexact_ops(data)
    if not ops:
        inputs = next(iter(candidates))
        return Golden(list(inputs), reference.run(inputs), 0, 0.0, 0, "exact: every op is defined to the bit")
    candidate, inputs, relative, steps = _calmest(data, candidates)
    integer = math.ceil(SAFETY * steps)
    allowed = max(FLOOR, SAFETY * relative)
    named = ", ".join(ops[:3]) + (", ..." if len(ops) > 3 else "")
    reason = (
        f"the last bits of {named} depend on the machine: {SAFETY:g} x the movement under a {DISTURBANCE:.1e} "
        f"disturbance ({relative:.1e} relative, {steps:g} steps), at least {FLOOR:g} relative"
    )
    return Golden(list(inputs), reference.run(inputs), candidate, allowed, integer, reason)


def inexact_ops(data: bytes) -> list[str]:
    """Names of the ops whose float results depend on the machine, each once, in order of execution."""
    found: dict[str, None] = {}
    for graph in flatbuffer.parse(data).graphs:
        for op in graph.ops:
            makes_floats = any(graph.tensors[index].type in _FLOATS for index in op.outputs)
            if makes_floats and op.name not in _EXACT:
                found[op.name] = None
    return list(found)


def _calmest(data: bytes, candidates: Iterable[Sequence[np.ndarray]]) -> tuple[int, Sequence[np.ndarray], float, float]:
    """Index, inputs and movement of the first calm candidate; without one, of that which moves least."""
    interpreter = Interpreter(data)
    best: tuple[int, Sequence[np.ndarray], float, float] | None = None
    for index, inputs in enumerate(candidates):
        relative, steps = _sensitivity(interpreter, inputs)
        if best is None or (steps, relative) < (best[3], best[2]):
            best = (index, inputs, relative, steps)
        if SAFETY * relative <= FLOOR and steps == 0:
            break
    assert best is not None
    return best


def _sensitivity(interpreter: Interpreter, inputs: Sequence[np.ndarray]) -> tuple[float, float]:
    """Largest movement of the outputs under the disturbance: relative for floats, in steps for integers."""
    calm = interpreter.run(inputs)
    random = np.random.default_rng(0)
    relative = steps = 0.0
    for _ in range(DISTURBED_RUNS):
        moved = interpreter.run([_disturbed(array, random) for array in inputs])
        for before, after in zip(calm, moved, strict=True):
            difference = np.abs(after.astype(np.float64) - before.astype(np.float64))
            largest = float(difference[np.isfinite(difference)].max(initial=0.0))
            if before.dtype.kind == "f":
                scale = float(np.abs(before[np.isfinite(before)]).max(initial=0.0))
                relative = max(relative, largest / scale if scale else 0.0)
            else:
                steps = max(steps, largest)
    return relative, steps


def _disturbed(array: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if array.dtype.kind != "f":
        return array
    return (array * (1.0 + DISTURBANCE * random.uniform(-1.0, 1.0, array.shape))).astype(array.dtype)
