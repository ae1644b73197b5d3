"""Optimal brain damage: prune by the increase of the loss, with a diagonal Hessian. LeCun et al. 1989."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tfkit._errors import UsageError
from tfkit.pruning.curvature import diagonal
from tfkit.pruning.masked import Gradual, alive
from tfkit.pruning.method import Pruning
from tfkit.pruning.thresholds import largest_of_all


@dataclass(frozen=True)
class OptimalBrainDamage(Gradual):
    """The weights with the smallest saliency go, the rest is retrained, and so on.

        saliency:  s_k = h_kk · w_k² / 2,   h_kk = d²L / dw_k²

    h is the diagonal of the Gauss-Newton matrix of the cross entropy (the paper's Levenberg-Marquardt approximation,
    which leaves out second derivatives of the activations), the mean over ``samples`` training images, computed anew
    in every round. One threshold for all layers.

    Args:
        samples: how many training images.

    Source: LeCun, Denker and Solla 1989, "Optimal brain damage", sections 2.1 and 2.2.
    """

    name: ClassVar[str] = "obd"
    summary: ClassVar[str] = "optimal brain damage: least increase of the loss, diagonal second derivatives"
    source: ClassVar[str] = "LeCun et al. 1989, Optimal brain damage"

    samples: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples < 1:
            raise UsageError(f"second derivatives are means over at least 1 sample; got {self.samples}")

    def masks(self, pruning: Pruning, share: float) -> list[np.ndarray]:
        if pruning.samples is None:
            raise UsageError("optimal brain damage looks at data: prepare(..., samples=network inputs)")
        kernels = [wrapper.layer.kernel for wrapper in pruning.wrappers]
        curvature = diagonal(pruning.network, kernels, pruning.samples[: self.samples])
        scores = {
            wrapper.name: alive(wrapper, h * np.square(wrapper.layer.kernel.numpy()) / 2)
            for wrapper, h in zip(pruning.wrappers, curvature, strict=True)
        }
        return list(largest_of_all(scores, share).values())
