"""Kernels whose zeros leave a smaller kernel, or one in groups."""

from __future__ import annotations

from math import gcd

import numpy as np

from tfkit.pruning.shrink.steps.base import Step


def cropped(step: Step, kernel: np.ndarray) -> np.ndarray:
    """The kernel [size..., inputs, outputs] without planes of zeros at both ends of an axis.

    That moves nothing where as many taps go at either end, and "same" pads at least as much as they reach beyond:
    all of "same" with stride 1, and strides that pad on both sides.
    """
    layer = step.layer
    if layer.padding != "same":
        return kernel
    sizes = step.inputs[0].shape[:-1]
    for axis, (size, rate, stride) in enumerate(zip(sizes, layer.dilation_rate, layer.strides, strict=True)):
        length = kernel.shape[axis]
        used = np.flatnonzero(np.moveaxis(kernel, axis, 0).reshape(length, -1).any(axis=1))
        if not used.size:
            continue
        reach = (length - 1) * rate
        if stride > 1:
            reach = 0 if size is None else max(0, (-(-size // stride) - 1) * stride + reach + 1 - size)
        gone = min(used[0], length - 1 - used[-1], reach // 2 // rate)
        kernel = kernel.take(range(gone, length - gone), axis)
    return kernel


def blocks(kernel: np.ndarray, groups: int) -> int:
    """The most consecutive blocks of equal size in which every group's inputs feed outputs of the same block only."""
    reads = (kernel != 0).any(axis=tuple(range(kernel.ndim - 2)))
    inputs, outputs = reads.shape[0], reads.shape[1] // groups
    of_groups = reads.reshape(inputs, groups, outputs)
    if not reads.any():
        return 1
    common = gcd(inputs, outputs)
    for number in (n for n in range(common, 1, -1) if common % n == 0):
        block_in = np.arange(inputs) // (inputs // number)
        block_out = np.arange(outputs) // (outputs // number)
        if not of_groups[(block_in[:, None] != block_out)[:, None, :].repeat(groups, axis=1)].any():
            return number
    return 1


def split(kernel: np.ndarray, groups: int, number: int) -> np.ndarray:
    """A kernel of ``groups`` as one of groups · number, without what lies between the blocks."""
    inputs, outputs = kernel.shape[-2:]
    made = outputs // groups // number
    read = inputs // number
    parts = []
    for at in range(groups * number):
        block = at % number
        parts.append(kernel[..., block * read : (block + 1) * read, at * made : (at + 1) * made])
    return np.concatenate(parts, axis=-1)
