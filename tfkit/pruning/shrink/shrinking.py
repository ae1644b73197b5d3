"""``shrink``: a model without what was pruned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfkit._errors import UnsupportedError, UsageError
from tfkit.pruning.shrink.explain import kept_channels, remaining, removals
from tfkit.pruning.shrink.plan import planned
from tfkit.pruning.shrink.rebuild import rebuilt
from tfkit.pruning.shrink.result import Shrunk, counted
from tfkit.pruning.shrink.steps import Opaque
from tfkit.pruning.shrink.structure import Structure, kind_of, structure_of

Keep = Mapping[str, Sequence[int] | Sequence[bool] | np.ndarray]


def shrink(model: Any, *, keep: Keep | None = None, multiple_of: int = 1) -> Shrunk:
    """A model in which pruned channels and groups are physically gone, with the outputs of ``model``.

    A channel goes when all that read it can do without:
      - it is always zero: its filter is, and so is what normalization and activation make of it;
      - it is always another number c: readers get b + sum over taps of kernel · c for their bias b, which is exact
        where no reader pads c with zeros;
      - kernels that read it are zero, or belong to channels that go themselves.
    Channels that are added, multiplied, normalized or filtered depthwise go together, so all of them have to agree.
    Groups of convolutions keep equally many channels, or go whole. Weights are copied.

    Args:
        model: a functional or sequential tf_keras model; it is left alone. Models inside it are opened, names,
            metadata and types kept, the optimizer is not.
        keep: layer -> the output channels that it is to keep, as indices or as one bool for each. The others are
            taken as zero where they are read, so outputs are those of the model with zeros there. None removes only
            what changes nothing.
        multiple_of: channels are kept back until each set of channels is a multiple of this, or whole.

    Raises:
        UsageError: ``keep`` names no layer with channels or not its channels; ``multiple_of`` is below 1.
        UnsupportedError: the model is subclassed, not built or wears wrappers; ``keep`` names a binary layer.
    """
    if multiple_of < 1:
        raise UsageError(f"multiple_of is a number of channels, at least 1; got {multiple_of}")
    structure = structure_of(model)
    dropped = {name: ~mask for name, mask in masks_of(structure, keep or {}).items()}
    plan = planned(structure, dropped, multiple_of)
    smaller = rebuilt(model, structure)
    return Shrunk(
        smaller,
        kept_channels(structure, plan),
        removals(structure, plan),
        remaining(structure, plan, dropped),
        counted(model),
        counted(smaller),
    )


def masks_of(structure: Structure, keep: Keep) -> dict[str, np.ndarray]:
    """layer -> bool per output channel; raises as ``shrink`` does."""
    found = {}
    for name, channels in keep.items():
        size = channels_of(structure, name)
        given = np.asarray(channels)
        if given.dtype == bool:
            if given.shape != (size,):
                raise UsageError(f"keep[{name!r}] has {given.size} bools; {name!r} has {size} channels")
            mask = given.copy()
        else:
            if given.size and (
                given.ndim != 1 or given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= size
            ):
                raise UsageError(f"keep[{name!r}] is a list of channels 0 to {size - 1}; got {channels!r}")
            mask = np.zeros(size, bool)
            mask[given.astype(int)] = True
        if not mask.any():
            raise UsageError(f"keep[{name!r}] is empty; a layer keeps at least one of its {size} channels")
        found[name] = mask
    return found


def channels_of(structure: Structure, name: str) -> int:
    """How many output channels a layer has; raises when it has none that can be chosen from."""
    step = structure.by_name.get(name)
    if step is None:
        known = ", ".join(step.name for step in structure.layers if kind_of(step))
        raise UsageError(f"the model has no layer {name!r}; those with channels are {known}")
    if isinstance(step, Opaque):
        raise UnsupportedError(f"{step.label} cannot be pruned: {step.reason}")
    if kind_of(step) is None:
        raise UsageError(f"{step.label} has no channels of its own; name the layers that make them")
    return int(step.flow.labels.size)
