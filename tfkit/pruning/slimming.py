"""Network slimming: the scales of batch normalizations learn which channels matter. Liu et al. 2017."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import legacy_keras
from tfkit.pruning.choice import choose
from tfkit.pruning.method import Method, Pruning
from tfkit.pruning.reparameterized import wrapped
from tfkit.pruning.shrink import coupled_channels

keras = legacy_keras()


@dataclass(frozen=True)
class NetworkSlimming(Method):
    """An ℓ1 penalty on the scales γ of batch normalizations, by its subgradient after every step.

        L' = L + strength · Σ |γ|,   γ -= rate · strength · sign(γ)

    A channel is worth the sum of |γ| of the normalizations that it passes.

    Args:
        strength: λ.

    Source: Liu et al. 2017, https://arxiv.org/abs/1708.06519, equation 1.
    """

    name: ClassVar[str] = "slimming"
    summary: ClassVar[str] = "an L1 penalty on the scales of batch normalizations"
    source: ClassVar[str] = "Liu et al. 2017, https://arxiv.org/abs/1708.06519"
    aim: ClassVar[str] = "macs"
    tunes: ClassVar[bool] = True
    structures: ClassVar[tuple[str, ...]] = ("channel",)

    structure: str = "channel"
    strength: float = 0.5

    def __post_init__(self) -> None:
        if self.structure != "channel":
            raise UsageError(f"slimming prunes channels; got {self.structure!r}")
        if not self.strength >= 0:
            raise UsageError(f"strength is not negative; got {self.strength:g}")

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        choose(model, layers)
        if not _scaled(model):
            raise UnsupportedError(
                f"{model.name!r} has no batch normalization with a scale (gamma) behind channels that can be removed; "
                "slimming needs one, psp and group_lasso do not"
            )
        return wrapped(model, {})

    def after_step(self, pruning: Pruning, step: Any, rate: Any) -> None:
        for name in _scaled(pruning.network):
            gamma = pruning.network.get_layer(name).gamma
            gamma.assign_sub(rate * self.strength * tf.sign(gamma))

    def filters(self, pruning: Pruning, model: Any) -> dict[str, np.ndarray]:
        return {name: np.abs(model.get_layer(name).gamma.numpy()) for name in _scaled(model)}


def _scaled(model: Any) -> list[str]:
    """Batch normalizations with a scale on channels of which at least one can be removed."""
    found = [
        member.layer
        for coupled in coupled_channels(model)
        if coupled.fixed is None
        for member in coupled.members
        if member.kind == "normalization" and getattr(model.get_layer(member.layer), "gamma", None) is not None
    ]
    return list(dict.fromkeys(found))
