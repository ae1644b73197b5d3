"""The plainest scores: how large the weights of each filter are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.pruning.shrink.steps import Contracting
from tfkit.pruning.shrink.structure import structure_of


def filter_norms(model: Any) -> dict[str, np.ndarray]:
    """layer -> norm of each filter over that of its layer's average filter, for every layer that may lose some.

    score[o] = sqrt(sum over t, i of kernel[t, i, o]² / mean over filters of the same sum)

    The average makes layers comparable, whatever the size of their kernels. Give it to ``select``.

    Source: Pruning filters for efficient ConvNets, https://arxiv.org/abs/1608.08710, section 3.1, with the l2 norm.

    Raises:
        UnsupportedError: the model is subclassed or not built, or wears wrappers of pruning or quantization.
    """
    structure = structure_of(model)
    found = {}
    for step in structure.layers:
        if isinstance(step, Contracting) and all(int(one) not in structure.fixed for one in structure.made(step).flat):
            squares = (step.kernel.astype(np.float64) ** 2).sum(axis=(0, 1))
            found[step.name] = np.sqrt(squares / max(squares.mean(), np.finfo(np.float64).tiny))
    return found
