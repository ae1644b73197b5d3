"""How far two correct evaluations may lie apart. Every bound of the parity check is derived here."""

from __future__ import annotations

import numpy as np

from tfkit.converters.graph import Model
from tfkit.converters.weights import weight_ops

U32 = 2.0**-24  # unit roundoff of float32
U16 = 2.0**-11  # unit roundoff of float16
# Roundings of an op without a kernel: a normalisation has 4 (subtract, divide, scale, shift), an approximated
# exponential is good to about 2 units; 8 covers either with its neighbours.
PER_OP = 8


def roundings(model: Model) -> int:
    """Float roundings on the longest way through the graph, at most: the terms of every sum, and PER_OP per op.

    Binary convolutions add integers below 2^24, which float32 holds exactly: they count as an op, not by their terms.
    """
    ops = model.main.ops
    terms = sum(op.kernel.shape[1] for op in weight_ops(model.main) if op.precision != "binary")
    return terms + PER_OP * len(ops)


def float_bound(model: Model) -> float:
    """Largest relative difference between two float32 evaluations in different order.

    A sum of n terms differs between two orders by at most 2 n u of the sum of magnitudes (Higham, Accuracy and
    Stability of Numerical Algorithms, section 4.2). Over layers the terms add up, as long as layers do not amplify
    what they are given relative to their largest output, which normalised networks do not: 2 u * roundings.
    Weights stored in 16 bits are off by u16 each, once per layer: + u16 * layers.
    """
    halves = sum(op.precision == "float16 weights" for op in weight_ops(model.main))
    return 2 * U32 * roundings(model) + U16 * halves


def sign_bound(model: Model, values: np.ndarray) -> float:
    """Magnitude below which the sign of ``values`` depends on the order of evaluation: ``float_bound`` of them."""
    return float_bound(model) * float(np.abs(values).max(initial=0.0))


def rounding_bound(model: Model, bias_step: float, step: float) -> float:
    """Distance from a rounding boundary, in LSB, within which Keras and an integer kernel may round apart.

    Three things move the value before it is rounded to the output step: the bias is stored in multiples of
    ``bias_step`` (off by half of one); float32 sums of values up to 256 steps (256 * 2 u * roundings); and the
    kernel's multiplier has 24 bits where Keras has a float32 quotient (256 * 2 u).
    """
    return 0.5 * bias_step / step + 256 * 2 * U32 * (roundings(model) + 1)


def sum_bound(terms: int, magnitude: float) -> float:
    """Absolute difference between two float32 evaluations of sums of ``terms`` products of total ``magnitude``."""
    return 2 * U32 * (terms + PER_OP) * magnitude
