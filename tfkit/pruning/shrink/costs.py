"""MACs of the shrunk model, counted before it is built."""

from __future__ import annotations

from math import prod

import numpy as np

from tfkit._errors import UnsupportedError
from tfkit.counting.macs import macs_by_precision
from tfkit.pruning.shrink.steps import Contracting, Step
from tfkit.pruning.shrink.steps.contracting import Separable
from tfkit.pruning.shrink.steps.depthwise import Depthwise
from tfkit.pruning.shrink.structure import Structure


class Costs:
    """What ``tfkit.count`` will say of the model when only some channels stay."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._macs = {id(step): _macs(step) for step in structure.steps.values() if step.inputs}
        self._steps = [step for step in structure.steps.values() if step.inputs and self._macs[id(step)]]

    def macs(self, kept: np.ndarray) -> int:
        """With the classes ``kept``."""
        return sum(self._left(step, kept) for step in self._steps)

    def _left(self, step: Step, kept: np.ndarray) -> int:
        macs = self._macs[id(step)]
        if isinstance(step, Depthwise):
            made = kept[self._structure.made(step)].ravel()
            return macs * int(made.sum()) // made.size
        if not isinstance(step, Contracting):
            return macs
        read, made = kept[self._structure.read(step)].ravel(), kept[self._structure.made(step)].ravel()
        if isinstance(step, Separable):
            taps = prod(step.layer.kernel_size)
            each = macs // (read.size * (taps + made.size))
            return each * int(read.sum()) * (taps + int(made.sum()))
        groups = int(made.reshape(step.groups, -1).any(axis=1).sum())
        each = macs * step.groups // (read.size * made.size)
        return each * int(read.sum()) * int(made.sum()) // max(1, groups)


def _macs(step: Step) -> int:
    shapes = [step.inputs[0].shape, step.shape]
    if any(size is None for shape in shapes for size in shape):
        raise UnsupportedError(
            f"{step.name!r} has the open shape {(None, *step.shape)}, so its MACs are not known; "
            "build the model with a fixed input shape"
        )
    read, made = (tuple(size or 0 for size in shape) for shape in shapes)
    return sum(macs_by_precision(step.layer, read, made, "float32").values()) if read else 0
