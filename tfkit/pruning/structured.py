"""The base of the methods that learn, while a network trains, which of its structures it can do without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfkit._errors import UsageError
from tfkit.pruning.method import Method, Pruning
from tfkit.pruning.reparameterized import Reparameterized, wrapped
from tfkit.pruning.structures import STRUCTURES, Structure, by_filters, structures_of


class StructuredKernel(Reparameterized):
    """A kernel whose structures a method knows; ``scores`` says what each is worth."""

    def __init__(self, layer: Any, parts: Structure, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.parts = parts

    def scores(self) -> np.ndarray:
        """One number per structure, larger for what matters more: (count,)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Structured(Method):
    """What all these methods share.

    Args:
        structure: "channel" (feature maps, scored where they are read: a factor in front of a batch normalization
            would have no gradient), "kernel" (positions of spatial kernels) or "group" (blocks of connections).
        group: channels on a side of a block, for "group".
    """

    aim: ClassVar[str] = "macs"
    tunes: ClassVar[bool] = True
    wrapper: ClassVar[type[StructuredKernel]]
    structures: ClassVar[tuple[str, ...]] = STRUCTURES

    structure: str = "channel"
    group: int = 8

    def __post_init__(self) -> None:
        if self.structure not in self.structures:
            raise UsageError(f"{self.name} prunes {' or '.join(self.structures)}; got {self.structure!r}")
        if self.group < 1:
            raise UsageError(f"a block has at least one channel on a side; got group={self.group}")

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        parts = structures_of(model, layers, self.structure, self.group)

        def wrapper(name: str) -> Any:
            return lambda layer: self.wrapper(layer, parts[name], **self.arguments())

        return wrapped(model, {name: wrapper(name) for name in parts})

    def arguments(self) -> dict[str, Any]:
        """What the wrapper takes beside the layer and its structures."""
        return {}

    def scores(self, pruning: Pruning) -> dict[str, np.ndarray]:
        """layer -> what each of its structures is worth, comparable between layers."""
        return {wrapper.layer.name: wrapper.scores() for wrapper in pruning.wrappers}

    def filters(self, pruning: Pruning, model: Any) -> dict[str, np.ndarray]:
        parts = {wrapper.layer.name: wrapper.parts for wrapper in pruning.wrappers}
        return by_filters(model, self.scores(pruning), parts)
