"""Diverse neurons by a determinantal point process, the others folded into them. Mariet and Sra 2016."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfkit._errors import UsageError
from tfkit.pruning.after_training import ChannelsAfterTraining, read_by
from tfkit.pruning.shrink import CoupledSet, Member


@dataclass(frozen=True)
class DPP(ChannelsAfterTraining):
    """A random set of channels, in which similar ones are unlikely to be together, is kept.

        P(S) ∝ det(L_S),   L_ij = exp(-β · mean (v_i - v_j)²) + ε · [i = j],   |S| = k
        then:  A = argmin ‖V_gone - V_kept A‖²,   w_kept = w_kept + A w_gone

    v_i is what channel i was over all samples and positions, where it is read, divided by the root of the mean square
    of all channels. Reweighting makes the next layer see the best linear substitute of what is gone.

    Args:
        beta: β; the paper's is 10.

    Source: Mariet and Sra 2016, https://arxiv.org/abs/1511.05077, sections 2.1 to 2.3; k-DPP sampling: Kulesza and
    Taskar 2012, https://arxiv.org/abs/1207.6083, algorithms 7 and 8.
    """

    name: ClassVar[str] = "dpp"
    summary: ClassVar[str] = "a diverse set of channels, the others folded into them"
    source: ClassVar[str] = "Mariet and Sra 2016, https://arxiv.org/abs/1511.05077"

    beta: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta > 0:
            raise UsageError(f"beta is positive; got {self.beta:g}")

    def rank(self, model: Any, coupled: CoupledSet, samples: np.ndarray, kept: int | None) -> np.ndarray:
        vectors = np.concatenate([self._vectors(model, reader, samples) for reader in coupled.readers])
        vectors = vectors / max(float(np.sqrt(np.mean(vectors**2))), 1e-12)
        squares = np.mean(vectors**2, 0)
        distances = squares[:, np.newaxis] + squares - 2 * vectors.T @ vectors / len(vectors)
        kernel = np.exp(-self.beta * np.maximum(distances, 0)) + 1e-4 * np.eye(coupled.size)
        rng = np.random.default_rng([self.seed, zlib.crc32(coupled.name.encode())])
        worth = np.zeros(coupled.size)
        worth[sample_k_dpp(kernel, coupled.size if kept is None else kept, rng)] = 1
        return worth

    def make_up(self, smaller: Any, model: Any, reader: Member, kept: np.ndarray, samples: np.ndarray) -> None:
        whole = self._vectors(model, reader, samples)
        left = self._vectors(smaller, reader, samples)[:, kept]
        mixing = np.linalg.lstsq(left, whole[:, ~kept], rcond=None)[0]
        kernel = smaller.get_layer(reader.layer).kernel
        values, old = kernel.numpy(), model.get_layer(reader.layer).kernel.numpy()
        for column in range(reader.indices.shape[1]):
            into, gone = reader.indices[kept, column], reader.indices[~kept, column]
            values[..., into, :] += np.einsum("kg,...gd->...kd", mixing, old[..., gone, :])
        kernel.assign(values)

    def _vectors(self, network: Any, reader: Member, samples: np.ndarray) -> np.ndarray:
        """(positions, channels): values of the channels of a set where ``reader`` reads them."""
        inputs = read_by(network, reader.layer, samples)
        flat = inputs.reshape(-1, inputs.shape[-1])[:, reader.indices].transpose(0, 2, 1)
        rows = flat.reshape(-1, len(reader.indices)).astype(np.float64)
        chosen = np.random.default_rng(self.seed).permutation(len(rows))[: self.positions]
        return np.asarray(rows[np.sort(chosen)])


def sample_k_dpp(kernel: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """k different items, drawn with P(S) ∝ det(kernel_S); ``kernel`` is symmetric and positive semidefinite."""
    values, vectors = np.linalg.eigh(kernel)
    values = np.maximum(values, 0)
    values = values / values.max()  # the law of k items does not change, and the polynomials stay finite
    polynomials = _elementary(values, k)
    chosen, left = [], k
    for number in range(len(values), 0, -1):
        if not left:
            break
        if number == left or rng.random() < values[number - 1] * polynomials[left - 1, number - 1] / max(
            polynomials[left, number], 1e-300
        ):
            chosen.append(number - 1)
            left -= 1
    basis = vectors[:, chosen]
    items: list[int] = []
    while basis.shape[1]:
        weight = np.sum(basis**2, 1)
        weight[items] = 0
        item = int(rng.choice(len(weight), p=weight / weight.sum()))
        items.append(item)
        # Leave the subspace orthogonal to the item's axis.
        pivot = int(np.argmax(np.abs(basis[item])))
        basis = basis - np.outer(basis[:, pivot] / basis[item, pivot], basis[item])
        basis = np.delete(basis, pivot, 1)
        if basis.shape[1]:
            basis = np.linalg.qr(basis)[0]
    return np.sort(items)


def _elementary(values: np.ndarray, k: int) -> np.ndarray:
    """e[l, n]: the elementary symmetric polynomial of order l of the first n values."""
    found = np.zeros((k + 1, len(values) + 1))
    found[0] = 1
    for order in range(1, k + 1):
        for number in range(1, len(values) + 1):
            found[order, number] = found[order, number - 1] + values[number - 1] * found[order - 1, number - 1]
    return found
