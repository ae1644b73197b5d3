"""ThiNet: channels whose loss the next layer notices least, and least squares to make up for it. Luo et al. 2017."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfkit.pruning.after_training import ChannelsAfterTraining, read_by, windows
from tfkit.pruning.shrink import CoupledSet, Member


@dataclass(frozen=True)
class ThiNet(ChannelsAfterTraining):
    """Channels are removed one by one such that sums in the next layer change least.

        x̂_ic = Σ_taps x_ic · w_cd   for output i at a random position and a random filter d
        greedy: T = T ∪ argmin_c Σ_i (Σ_{j in T ∪ {c}} x̂_ij)²
        then:   a = argmin Σ_i (Σ_c x̂_ic - Σ_{c kept} a_c · x̂_ic)²,   w_c = a_c · w_c

    Where several layers read a channel their sums are looked at together, each relative to its size. Layers are made
    up for from front to back: the sums of the kept channels are those of the network pruned so far.

    Source: Luo, Wu and Lin 2017, https://arxiv.org/abs/1707.06342, equations 2 to 7 and algorithm 1.
    """

    name: ClassVar[str] = "thinet"
    summary: ClassVar[str] = "ThiNet: channels that the next layer misses least, with least squares"
    source: ClassVar[str] = "Luo et al. 2017, https://arxiv.org/abs/1707.06342"

    def rank(self, model: Any, coupled: CoupledSet, samples: np.ndarray, kept: int | None) -> np.ndarray:
        parts = []
        for reader in coupled.readers:
            sums = contributions(model, model, reader, samples, self.positions, self.seed)
            parts.append(sums / max(float(np.sqrt(np.mean(sums.sum(1) ** 2))), 1e-12))
        worth = np.empty(coupled.size)
        worth[removal_order(np.concatenate(parts))] = np.arange(coupled.size)
        return worth

    def make_up(self, smaller: Any, model: Any, reader: Member, kept: np.ndarray, samples: np.ndarray) -> None:
        whole = contributions(model, model, reader, samples, self.positions, self.seed)
        left = contributions(smaller, model, reader, samples, self.positions, self.seed)[:, kept]
        factors = np.linalg.lstsq(left, whole.sum(1), rcond=None)[0]
        kernel = smaller.get_layer(reader.layer).kernel
        values = kernel.numpy()
        for factor, places in zip(factors, reader.indices[kept], strict=True):
            values[..., places, :] *= factor
        kernel.assign(values)


def contributions(
    network: Any, model: Any, reader: Member, samples: np.ndarray, positions: int, seed: int
) -> np.ndarray:
    """x̂: what each channel of a set adds to sums of a reader, with ``network``'s inputs and ``model``'s kernel."""
    layer = model.get_layer(reader.layer)
    seen = windows(layer, read_by(network, reader.layer, samples), positions, seed)
    kernel = layer.kernel.numpy().reshape(-1, *layer.kernel.shape[-2:])
    filters = np.random.default_rng(seed + 1).integers(0, kernel.shape[-1], len(seen))
    single = np.einsum("mtc,tcm->mc", seen, kernel[:, :, filters], optimize=True)
    return np.asarray(single[:, reader.indices].sum(-1), np.float64)


def removal_order(sums: np.ndarray) -> np.ndarray:
    """The channels in the order in which the greedy rule removes them; ``sums`` is (outputs, channels)."""
    products = sums.T @ sums
    cross = np.zeros(len(products))  # of each channel with the sum of those removed
    left = np.ones(len(products), bool)
    order = []
    for _ in range(len(products)):
        cost = np.where(left, 2 * cross + np.diag(products), np.inf)
        chosen = int(np.argmin(cost))
        order.append(chosen)
        left[chosen] = False
        cross += products[:, chosen]
    return np.array(order)
