"""Prune, retrain, prune again: Han et al. 2015."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfkit.pruning.dropout import masked_with_dropout
from tfkit.pruning.masked import Gradual, alive
from tfkit.pruning.method import Pruning
from tfkit.pruning.thresholds import largest_of_all


@dataclass(frozen=True)
class Han(Gradual):
    """Connections below a threshold are removed, the rest is retrained from where it is, and so on.

        w = 0 for good where |w| < q · σ_layer;   dropout rates D_r = D_o · sqrt(C_r / C_o)

    σ is the standard deviation of the weights that a layer has left, q the quality parameter, one for all layers;
    q is found such that the share of zeros of the round is met. C_r of the C_o connections into the neurons that a
    dropout layer drops are left: a sparse layer overfits less, and is to be dropped less.

    Source: Han et al. 2015, https://arxiv.org/abs/1506.02626, section 3.
    """

    name: ClassVar[str] = "han"
    summary: ClassVar[str] = "prune below a multiple of each layer's standard deviation, retrain, repeat"
    source: ClassVar[str] = "Han et al. 2015, https://arxiv.org/abs/1506.02626"

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        return masked_with_dropout(model, layers)

    def masks(self, pruning: Pruning, share: float) -> list[np.ndarray]:
        scores = {}
        for wrapper in pruning.wrappers:
            w = wrapper.layer.kernel.numpy()
            left = w[wrapper.mask.numpy() > 0]
            scores[wrapper.name] = alive(wrapper, np.abs(w) / max(float(np.std(left)), 1e-12))
        return list(largest_of_all(scores, share).values())
