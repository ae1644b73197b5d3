"""``select``: which channels to keep for a share of the MACs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfkit._errors import DataError, UnsupportedError, UsageError
from tfkit.pruning.shrink.balance import Component, components_of
from tfkit.pruning.shrink.costs import Costs
from tfkit.pruning.shrink.explain import kept_channels
from tfkit.pruning.shrink.plan import Plan
from tfkit.pruning.shrink.shrinking import channels_of
from tfkit.pruning.shrink.structure import Structure, structure_of

SCOPES = ("global", "uniform")
_REASONS = 6


def select(
    model: Any,
    scores: Mapping[str, Sequence[float] | np.ndarray],
    target_macs: float = 0.5,
    *,
    multiple_of: int = 8,
    scope: str = "global",
) -> dict[str, list[int]]:
    """The channels to keep so that ``shrink(model, keep=...)`` has at most ``target_macs`` of the model's MACs.

    A coupled channel is worth the sum of its members' scores; ``scope`` "global" drops those worth least, whatever
    layer they are in, "uniform" the same share of every set. Sets without scores stay whole. Layers keep a multiple
    of ``multiple_of`` channels or all (``multiple_of`` of them at least), and groups and channel shuffles equally
    many in each part, for which the multiple gives way.

    Args:
        model: a functional or sequential tf_keras model with a fixed input shape.
        scores: layer -> the importance of each of its output channels, higher is more important: of convolutions
            and dense layers, depthwise convolutions or batch normalizations.
        target_macs: a share in (0, 1], of what ``tfkit.count`` counts.

    Raises:
        UsageError: an argument is out of range, a name is no layer with channels, or the share cannot be reached;
            the message has the least that can.
        DataError: a score is not finite, or there is not one for each channel.
        UnsupportedError: no channel of the model may go, or ``scores`` names a binary layer.
    """
    if not 0 < target_macs <= 1:
        raise UsageError(f"target_macs is a share of the model's MACs, in (0, 1]; got {target_macs}")
    if multiple_of < 1:
        raise UsageError(f"multiple_of is a number of channels, at least 1; got {multiple_of}")
    if scope not in SCOPES:
        raise UsageError(f"scope is one of {', '.join(SCOPES)}; got {scope!r}")
    structure = structure_of(model)
    worth = _worth(structure, scores)
    choice = _Choice(structure, worth, multiple_of, scope)
    kept = choice.within(target_macs)
    if kept is None:
        least = choice.costs.macs(choice.kept(1.0)) / choice.whole
        raise UsageError(
            f"{model.name!r} cannot come down to {target_macs:.1%} of its MACs by these channels; the least is "
            f"{least:.1%} with multiple_of={multiple_of}" + ("; try a smaller multiple_of" if multiple_of > 1 else "")
        )
    return kept_channels(structure, Plan(kept))


def _worth(structure: Structure, scores: Mapping[str, Sequence[float] | np.ndarray]) -> np.ndarray:
    """For every class the sum of its channels' scores, NaN where it stays in any case."""
    worth = np.zeros(structure.number)
    scored = np.zeros(structure.number, bool)
    for name, given in scores.items():
        size = channels_of(structure, name)
        values = np.asarray(given, np.float64)
        if values.shape != (size,) or not np.isfinite(values).all():
            raise DataError(
                f"scores[{name!r}] is one finite number for each of {size} channels; got an array of shape "
                f"{values.shape}"
            )
        classes = structure.made(structure.by_name[name]).ravel()
        np.add.at(worth, classes, values)
        scored[classes] = True
    for number, classes in enumerate(structure.classes_of_set):
        if not structure.is_free(number) or not scored[classes].all():
            worth[classes] = np.nan
    if np.isnan(worth).all():
        raise UnsupportedError(_why_not(structure, scored))
    return worth


def _why_not(structure: Structure, scored: np.ndarray) -> str:
    """What keeps the channels with a score; without any score, all channels."""
    some = bool(scored.any())
    asked = np.flatnonzero(scored) if some else [one for one, names in enumerate(structure.members) if names]
    reasons = list(dict.fromkeys(structure.fixed[int(one)] for one in asked if int(one) in structure.fixed))
    more = [f"and {len(reasons) - _REASONS} more of the kind"] if len(reasons) > _REASONS else []
    listed = "".join(f"\n  - {reason}" for reason in [*reasons[:_REASONS], *more])
    return f"no channel{' with a score' if some else ''} may go; what keeps them:{listed}"


class _Choice:
    """What stays at every threshold."""

    def __init__(self, structure: Structure, worth: np.ndarray, multiple_of: int, scope: str) -> None:
        self._structure = structure
        self._worth = worth
        self._multiple_of = multiple_of
        self._components = components_of(structure)
        self.costs = Costs(structure)
        self.whole = self.costs.macs(np.ones(structure.number, bool))
        # What share of all channels, or of its set, are worth less.
        self._rank = np.full(structure.number, np.inf)
        for classes in [np.arange(structure.number)] if scope == "global" else structure.classes_of_set:
            known = classes[~np.isnan(worth[classes])]
            if known.size:
                order = np.argsort(worth[known], kind="stable")
                self._rank[known[order]] = (np.arange(known.size) + 1) / (known.size + 1)

    def kept(self, share: float) -> np.ndarray:
        """The classes that stay when, as far as multiples and parts allow, those of a rank below ``share`` go."""
        kept = np.ones(self._structure.number, bool)
        for component in self._components:
            self._thin(component, kept, share)
        return kept

    def _thin(self, component: Component, kept: np.ndarray, share: float) -> None:
        sizes = component.sizes
        wanted = np.array([int((self._rank[bucket.classes] >= share).sum()) for bucket in component.buckets])
        least = np.array([0 if np.isfinite(self._rank[b.classes]).all() else len(b.classes) for b in component.buckets])
        if not component.balances and share == 1.0:
            wanted = np.minimum(1, sizes)
        if np.array_equal(least, sizes):
            return
        for bucket, count in zip(component.buckets, component.counts(least, wanted, self._multiple_of), strict=True):
            order = np.argsort(-self._rank[bucket.classes], kind="stable")
            kept[bucket.classes[order[count:]]] = False

    def within(self, target: float) -> np.ndarray | None:
        """The most that stays within the target."""
        most = target * self.whole
        everything = np.ones(self._structure.number, bool)
        if self.whole <= most:
            return everything
        found = self.kept(1.0)
        if self.costs.macs(found) > most:
            return None
        low, high = 0.0, 1.0
        while high - low > 1 / (self._structure.number + 1):
            middle = (low + high) / 2
            kept = self.kept(middle)
            if self.costs.macs(kept) <= most:
                found, high = kept, middle
            else:
                low = middle
        return found
