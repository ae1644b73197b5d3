"""What was removed of each layer, and why other candidates were not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import prod

import numpy as np

from tfkit.pruning.shrink.plan import Plan
from tfkit.pruning.shrink.result import Left, Removed
from tfkit.pruning.shrink.steps import Contracting, Opaque, Step
from tfkit.pruning.shrink.steps.contracting import Convolution, Reading
from tfkit.pruning.shrink.steps.depthwise import Depthwise, GroupPerChannel
from tfkit.pruning.shrink.steps.kinds import BINARY, why_opaque
from tfkit.pruning.shrink.structure import Structure, kind_of


def kept_channels(structure: Structure, plan: Plan) -> dict[str, list[int]]:
    """Of every layer with channels of its own that lost some: those that it kept."""
    found = {}
    for step in structure.layers:
        if isinstance(step, Contracting | Depthwise):
            kept = plan.kept[structure.made(step)].ravel()
            if not kept.all():
                found[step.name] = [int(index) for index in np.flatnonzero(kept)]
    return found


def removals(structure: Structure, plan: Plan) -> tuple[Removed, ...]:
    """Channels, inputs and groups that went, layer by layer."""
    found = []
    for step in structure.layers:
        if isinstance(step, Contracting | Depthwise):
            found.append(_removed(step.name, "channels", plan.kept[structure.made(step)]))
        if isinstance(step, Contracting):
            found.append(_removed(step.name, "inputs", plan.kept[structure.read(step)]))
            if step.groups > 1:
                groups = plan.kept[structure.made(step)].reshape(step.groups, -1).any(axis=1)
                found.append(_removed(step.name, "groups", groups))
        found += _inside_kernels(step)
    return tuple(one for one in found if one.before != one.after)


def _inside_kernels(step: Step) -> list[Removed]:
    """Taps, and the inputs that each filter still reads where connections between blocks went."""
    if isinstance(step, Convolution):
        kernel, _ = step.reduced()
        read = step.gathered(step.own[0]).shape[-2]
        return [_taps(step, kernel), Removed(step.name, "inputs of each filter", read, kernel.shape[-2])]
    if isinstance(step, Depthwise) and not isinstance(step, GroupPerChannel):
        return [_taps(step, step.reduced())]
    return []


def _taps(step: Step, kernel: np.ndarray) -> Removed:
    return Removed(step.name, "taps", prod(step.own[0].shape[:-2]), prod(kernel.shape[:-2]))


def _removed(layer: str, what: str, kept: np.ndarray) -> Removed:
    return Removed(layer, what, int(kept.size), int(kept.sum()))


def remaining(structure: Structure, plan: Plan, dropped: Mapping[str, np.ndarray]) -> tuple[Left, ...]:
    """What looks removable, or was to be removed, and stayed."""
    found = []
    for step in structure.layers:
        candidates = _candidates(step, dropped)
        if candidates is not None:
            classes = structure.made(step).ravel()
            reasons = Counter(
                _why(structure, plan, step, int(one), bool(dropped)) for one in classes[candidates & plan.kept[classes]]
            )
            found += [Left(step.name, "channels", number, reason) for reason, number in reasons.items()]
        if isinstance(step, Contracting):
            found += _kernels(step)
        if isinstance(step, Opaque) and why_opaque(step.layer) == BINARY:
            found += _binary(step)
    return tuple(found)


def _candidates(step: Step, dropped: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Of a layer's output channels those that were to go, or whose weights are all zero."""
    if step.name in dropped:
        return dropped[step.name]
    if isinstance(step, Contracting):
        return ~step.reads.any(axis=1).ravel()
    if isinstance(step, Depthwise):
        return ~(step.kernel != 0).any(axis=0).ravel()
    return None


def _why(structure: Structure, plan: Plan, step: Step, one: int, explicit: bool) -> str:
    if one in structure.fixed:
        return structure.fixed[one]
    if one in plan.held:
        return plan.held[one]
    reader, reading = plan.needed[one]
    if reading is Reading.PADDED:
        return (
            f"behind normalization and activation they are a constant other than 0, and {reader.label} pads it with "
            "zeros: no bias stands for that"
        )
    others = [name for name in dict.fromkeys(structure.members[one]) if name != step.name]
    coupled = [name for name in others if kind_of(structure.by_name[name]) == "filters"]
    if coupled:
        return (
            f"they go together with channels of {', '.join(map(repr, coupled))}, and {reader.label} reads what is "
            "not zero there"
        )
    what = "asks to drop" if explicit else "could drop"
    return f"{reader.label} reads them, and they are not constant there: a later layer adds what nothing {what}"


def _kernels(step: Contracting) -> list[Left]:
    """Zero kernels of several taps, and zero taps, that are stored all the same."""
    if not isinstance(step, Convolution):
        return []
    kernel, _ = step.reduced()
    size = prod(kernel.shape[:-2])
    reads = kernel.reshape(size, *kernel.shape[-2:]) != 0
    if size == 1 or not reads.any():
        return []
    found = []
    taps = int((~reads.any(axis=(1, 2))).sum())
    if taps:
        reason = "a kernel stays a rectangle, and loses as many taps at one end as at the other, where padding allows"
        found.append(Left(step.name, "taps", taps, reason))
    # A filter without any is told as a channel.
    kernels = int((~reads.any(axis=0) & reads.any(axis=(0, 1))).sum())
    if kernels:
        reason = "every input and output around them is used by other kernels, and a dense convolution stores all"
        found.append(Left(step.name, "kernels", kernels, reason))
    return found


def _binary(step: Opaque) -> list[Left]:
    """Filters of a binary layer whose latent weights are all zero."""
    number = 0
    for weight in step.own:
        if weight.ndim > 1:
            number += int((~weight.astype(bool).reshape(-1, weight.shape[-1]).any(axis=0)).sum())
    return [Left(step.name, "channels", number, BINARY)] if number else []
