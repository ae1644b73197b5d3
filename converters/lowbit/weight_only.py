"""Kernels as level numbers: what a layer's weight quantizer gives, apart from what the layer does with its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit.converters.declared import Declared, canonical, effective, kernel_names, latent, quantizer_of
from tfkit.converters.lowbit.unpacked import MOST_BITS, MOST_TERMS
from tfkit.converters.reasons import Reason
from tfkit.quantizers import levels

SAME = 1e-5  # relative to the largest level: float32 arithmetic of scales in another order


@dataclass(frozen=True)
class Coded:
    """A kernel [channel out, products]: ``value = codes[number] @ scales[channel]``.

    Attributes:
        numbers: [channels, products], of each weight's level.
        codes: integers, [levels, terms].
        scales: float32, [channels, terms].
    """

    numbers: np.ndarray
    codes: np.ndarray
    scales: np.ndarray


def coded_kernels(declared: Declared) -> list[Coded | Reason]:
    """One entry a kernel of the layer, in the order of ``Declared.kernels``."""
    found: list[Coded | Reason] = []
    for name in kernel_names(declared.layer):
        quantizer = quantizer_of(declared.layer, name)
        if quantizer is None:
            found.append(Reason("float_kernel", "its kernel is not quantized", 'give it one: kernel_quantizer="twn"'))
        else:
            found.append(_coded(declared.layer, name, quantizer, declared.wrapper))
    return found


def _coded(layer: Any, name: str, quantizer: Any, wrapper: Any) -> Coded | Reason:
    values = effective(layer, name, wrapper)
    try:
        found = levels(quantizer, latent(layer, name, wrapper))
    except UsageError as error:
        return Reason("unknown_levels", str(error), "use a quantizer of tfkit.quantizers")
    if len(found) > 2**MOST_BITS or found.codes.shape[1] > MOST_TERMS:
        return Reason("too_many_levels", f"it has {len(found)} levels, more than {MOST_BITS} bits tell apart", "")
    # The levels of each last-axis channel, in rising order of their integers where one integer is a level.
    order = np.argsort(found.codes[:, 0], kind="stable") if found.codes.shape[1] == 1 else np.arange(len(found))
    codes = np.asarray(found.codes, np.int64)[order]
    scales = np.asarray(found.scales, np.float32)
    per_channel = np.broadcast_to(scales, (values.shape[-1], codes.shape[1]))
    numbers, distance = _nearest(values.reshape(-1, values.shape[-1]), per_channel @ codes.T.astype(np.float32))
    if distance > SAME * float(np.abs(values).max(initial=0.0)):
        return Reason(
            "off_grid",
            "the kernel holds values that are none of its quantizer's levels",
            "finish its schedule (INQ: all weights fixed), or use a quantizer of tfkit.quantizers",
        )
    matrix = canonical(layer, name, numbers.reshape(values.shape))
    return _per_output(layer, name, matrix, codes, per_channel, values.shape)


def _nearest(values: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, float]:
    """Numbers of the nearest levels of values [weights, channels] in ``table`` [channels, levels]; the worst distance.

    A level at a time: whole tables would take gigabytes.
    """
    best = np.full(values.shape, np.inf, np.float32)
    numbers = np.zeros(values.shape, np.int64)
    for number in range(table.shape[1]):
        distance = np.abs(values - table[:, number])
        closer = distance < best
        best[closer], numbers[closer] = distance[closer], number
    return numbers, float(best.max(initial=0.0))


def _per_output(
    layer: Any, name: str, matrix: np.ndarray, codes: np.ndarray, scales: np.ndarray, shape: tuple[int, ...]
) -> Coded | Reason:
    """Scales of the kernel's last axis as those of output channels, which transposed kernels have elsewhere."""
    if (scales == scales[0]).all():
        return Coded(matrix, codes, np.broadcast_to(scales[0], (len(matrix), scales.shape[1])))
    channel = canonical(layer, name, np.broadcast_to(np.arange(shape[-1]), shape))
    if (channel != channel[:, :1]).any():
        return Reason(
            "scale_axis",
            "its quantizer has scales along another axis than the output channels",
            'use one with a single scale ("twn", "lsq_w4", "dorefa_w4")',
        )
    return Coded(matrix, codes, scales[channel[:, 0]])


def fitted(coded: Coded, stored: np.ndarray) -> Coded | None:
    """The same levels with the scales of a stored kernel [channel, products], which a converter has multiplied by one
    factor a channel (batch normalization); None when it holds anything else."""
    if coded.numbers.shape != stored.shape:
        return None
    rows = np.zeros(stored.shape, np.float64)
    for term in range(coded.codes.shape[1]):
        rows += coded.codes[:, term].astype(np.float64)[coded.numbers] * coded.scales[:, term, None]
    power = np.einsum("cp,cp->c", rows, rows)
    factor = np.einsum("cp,cp->c", rows, stored.astype(np.float64)) / np.where(power > 0, power, 1.0)
    error = np.abs(rows * factor[:, None] - stored).max(axis=1, initial=0.0)
    if (error > SAME * np.abs(stored).max(axis=1, initial=0.0)).any():
        return None
    return Coded(coded.numbers, coded.codes, (coded.scales * factor[:, None]).astype(np.float32))
