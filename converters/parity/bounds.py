"""How far two correct evaluations may lie apart. Every bound of the parity check is derived here."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from tfkit.converters.graph import Model
from tfkit.converters.weights import weight_ops

U32 = 2.0**-24  # unit roundoff of float32
U16 = 2.0**-11  # unit roundoff of float16
# Roundings of an op without a kernel: a normalisation has 4 (subtract, divide, scale, shift), an approximated
# exponential is good to about 2 units; 8 covers either with its neighbours.
PER_OP = 8


@functools.lru_cache(maxsize=4)
def roundings(model: Model) -> int:
    """Float roundings on the longest way through the graph, at most: the terms of every sum, and PER_OP per op.

    Binary convolutions add integers below 2^24, which float32 holds exactly: they count as an op, not by their terms.
    """
    ops = model.main.ops
    terms = sum(op.kernel.shape[1] for op in weight_ops(model.main) if op.precision != "binary")
    return terms + PER_OP * len(ops)


@functools.lru_cache(maxsize=4)
def float_bound(model: Model) -> float:
    """Largest relative difference between two float32 evaluations in different order.

    A sum of n terms differs between two orders by at most 2 n u of the sum of magnitudes (Higham, Accuracy and
    Stability of Numerical Algorithms, section 4.2). Over layers the terms add up, as long as layers do not amplify
    what they are given relative to their largest output, which normalised networks do not: 2 u * roundings.
    Weights stored in 16 bits come on top: ``sensitivity``.
    """
    return 2 * U32 * roundings(model)


def sign_bound(model: Model, values: np.ndarray) -> float:
    """Magnitude below which the sign of ``values`` depends on the order of evaluation: ``float_bound`` of them."""
    return float_bound(model) * float(np.abs(values).max(initial=0.0))


def rounding_bound(model: Model, accumulator_step: float, step: float) -> float:
    """Distance from a rounding boundary, in LSB, within which Keras and an integer kernel may round apart.

    ``accumulator_step`` is what one unit of the kernel's integer accumulator is worth, ``step`` one of its output;
    their quotient M is the multiplier that the kernel applies. What moves a value before its last rounding:

    - the bias is stored in whole units of the accumulator: M / 2;
    - fixed-point kernels (TFLite's own, where XNNPACK's float multiplier is not used) write M as m 2^-n and round
      twice: to an integer after m, to the result after 2^-n. The first rounding is off by 2^-n / 2; m is at least
      1/4 (1/2 by normalisation, and halved once where a mean folds its count in), so that is at most 2 M;
    - float32 sums and quotients of values up to 256 steps, in either: 256 * 2 u * roundings.
    """
    return 2.5 * accumulator_step / step + 256 * 2 * U32 * (roundings(model) + 1)


def kernel_bound(name: str, ratio: float, shape: Sequence[int], given: Sequence[int]) -> float:
    """What an int8 kernel of its own arithmetic adds to ``rounding_bound``, in LSB; 0 for all others.

    ``ratio`` is input scale over output scale; ``shape`` and ``given`` are those of output and input.

    - HARD_SWISH (reference_ops.h) computes x · gate in 16 bits. With ratio / 128 = m 2^e, 1/2 <= m < 1, one LSB has
      2^-e units: x is rounded to a unit (1/2) and the product truncated (1). Both multipliers have 15 fractional bits
      (2^-15 of at most 256 LSB each), the gate is cut to 15 bits (1.5 · 2^-15).
    - LEAKY_RELU, and QUANTIZE from int8 to int8, have multipliers of 8 fractional bits in XNNPACK: 2^-9 of at most
      255 LSB.
    - RESIZE_BILINEAR places pixels in 10 fractional bits: the step in / out is off by 2^-11, times the place, unless
      it fits; neighbours differ by at most 255 LSB.
    """
    if name == "HARD_SWISH":
        return 1.5 * 2.0 ** math.frexp(ratio / 128)[1] + 256 * 3.5 * 2.0**-15
    if name in ("LEAKY_RELU", "QUANTIZE"):
        return 255 * 2.0**-9
    if name == "RESIZE_BILINEAR":
        inexact = [new for new, old in zip(shape[1:3], given[1:3], strict=True) if (old << 10) % max(new, 1)]
        return 255 * sum((new + 1) * 2.0**-11 for new in inexact)
    return 0.0


def cancellation_bound(scales: np.ndarray, offsets: np.ndarray, depth: int, step: float) -> np.ndarray:
    """What scaling a binary convolution in float32 adds to ``rounding_bound``, in LSB, per channel.

    y = m x + b with ``scales`` m = gamma / sqrt(variance + epsilon) and ``offsets`` b = beta - m mean. In a channel
    that never varied in training m and b are large, and m x and b cancel. x is counted as differing bits d of
    ``depth`` D: x = D - 2 d, so a kernel computes b'' - m 2 d with b'' = b + m D. m has 4 roundings (sum, root,
    quotient, product) and 1 more where the scale of the output is folded in, a product with m 1 more; so, with
    |2 m d| and |b''| at most |b| + |m| D but for terms of the size of y,

    - the flatbuffer is off by u (6 (|b| + |m| D) + 6 |b| + 5 |m| D + 3 (|b| + |m| D)) = u (15 |b| + 14 |m| D);
    - Keras, which adds signs, by u (5 |m x| + 6 |b|), at most 11 u |b|.
    """
    return U32 * (26 * np.abs(offsets) + 14 * np.abs(scales) * depth) / step


def sum_bound(terms: int, magnitude: float) -> float:
    """Absolute difference between two float32 evaluations of sums of ``terms`` products of total ``magnitude``."""
    return 2 * U32 * (terms + PER_OP) * magnitude
