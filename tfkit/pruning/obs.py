"""Optimal brain surgeon: remove a weight and change the others to make up for it. Hassibi and Stork 1992."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import call_count, legacy_keras
from tfkit.pruning.after_training import AfterTraining, read_by, windows
from tfkit.pruning.choice import choose
from tfkit.pruning.curvature import matrix
from tfkit.pruning.masked import check_sparsity
from tfkit.pruning.reparameterized import wrapped
from tfkit.pruning.thresholds import largest_of_all

keras = legacy_keras()

_INPUTS = 4096  # an inverse Hessian of so many inputs has 16.8 million values


@dataclass(frozen=True)
class OptimalBrainSurgeon(AfterTraining):
    """The weights whose removal costs least after all others were changed for it.

        cost:   L_q = w_q² / (2 · [H⁻¹]_qq)
        change: δw = -w_q / [H⁻¹]_qq · H⁻¹ e_q,   and q is taken out of H⁻¹

    A kernel loses as many weights as lie below one threshold for |w| of all kernels: a small one has larger weights.
    Kernels of at most ``exact`` weights have the whole H, the Gauss-Newton matrix of the cross entropy. In larger ones
    every output has the Hessian of its own squared error, H = mean x xᵀ over what it reads, which all outputs of a
    layer share; each loses the same share of its weights. Layers are worked on from front to back, with the inputs
    that the network pruned so far has.

    Args:
        sparsity: the share of zeros in all kernels, inside (0, 1).
        exact: the largest kernel that has the Hessian of the loss.
        samples: training images that are looked at.
        positions: outputs of a convolution that are looked at.
        damping: added to the diagonal of H, relative to its mean.
        at_once: weights that are removed at a time, each time jointly; 1 is the paper's.
        seed: of the positions.

    Source: Hassibi and Stork 1992, "Second order derivatives for network pruning: optimal brain surgeon", equations 4
    and 5; by layers: Dong, Chen and Pan 2017, https://arxiv.org/abs/1705.07565, equations 4 to 6.
    """

    name: ClassVar[str] = "obs"
    summary: ClassVar[str] = "optimal brain surgeon: the other weights make up for each one that goes"
    source: ClassVar[str] = "Hassibi and Stork 1992; Dong et al. 2017, https://arxiv.org/abs/1705.07565"

    sparsity: float = 0.8
    exact: int = 1024
    samples: int = 128
    positions: int = 4096
    damping: float = 0.01
    at_once: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        check_sparsity(self.sparsity)
        if min(self.samples, self.positions, self.at_once) < 1 or self.exact < 0 or not self.damping > 0:
            raise UsageError(
                "obs takes samples, positions and at_once of at least 1, exact of at least 0 and a positive damping; "
                f"got {self.samples}, {self.positions}, {self.at_once}, {self.exact} and {self.damping:g}"
            )

    def reduced(
        self, model: Any, samples: np.ndarray, *, macs: float, multiple_of: int, layers: str | Sequence[str]
    ) -> tuple[Any, dict[str, list[int]] | None]:
        chosen = choose(model, layers)
        _refuse(model, chosen)
        pruned = wrapped(model, {})
        sizes = {name: np.abs(pruned.get_layer(name).kernel.numpy()) for name in chosen}
        shares = {name: 1 - float(mask.mean()) for name, mask in largest_of_all(sizes, self.sparsity).items()}
        for name in chosen:
            kernel = pruned.get_layer(name).kernel
            kernel.assign(self._kernel(pruned, name, shares[name], samples[: self.samples]))
        return pruned, None

    def _kernel(self, network: Any, name: str, share: float, samples: np.ndarray) -> np.ndarray:
        layer = network.get_layer(name)
        w = layer.kernel.numpy().astype(np.float64)
        if w.size <= self.exact:
            inverse = self._inverse(matrix(network, layer.kernel, samples))
            flat = surgery(w.ravel(), inverse, round(share * w.size), self.at_once)
            return flat.reshape(w.shape)
        seen = windows(layer, read_by(network, name, samples), self.positions, self.seed)
        rows = seen.reshape(len(seen), -1).astype(np.float64)
        inverse = self._inverse(rows.T @ rows / len(rows))
        columns = w.reshape(-1, w.shape[-1])
        count = min(len(columns) - 1, int(np.ceil(share * len(columns))))  # no output loses all that it reads
        done = [surgery(column, inverse, count, self.at_once) for column in columns.T]
        return np.stack(done, axis=1).reshape(w.shape)

    def _inverse(self, hessian: np.ndarray) -> np.ndarray:
        mean = max(float(np.mean(np.diag(hessian))), 1e-12)
        return np.linalg.inv(hessian + self.damping * mean * np.eye(len(hessian)))


def surgery(weights: np.ndarray, inverse: np.ndarray, count: int, at_once: int = 1) -> np.ndarray:
    """``weights`` (n,) with ``count`` of them zero and the others changed for it; ``inverse`` is H⁻¹ (n, n).

    ``at_once`` weights of least cost go together: δw = -H⁻¹[:, Q] (H⁻¹[Q, Q])⁻¹ w_Q.
    """
    w, h = weights.copy(), inverse.copy()
    left = np.arange(len(w))  # h has the rows and columns of these
    result = np.zeros_like(w)
    while count > 0:
        number = min(at_once, count)
        cost = w**2 / (2 * np.diag(h))
        gone = np.argsort(cost, kind="stable")[:number]
        solved = np.linalg.solve(h[np.ix_(gone, gone)], np.column_stack([w[gone], h[gone]]))
        w = w - h[:, gone] @ solved[:, 0]
        h = h - h[:, gone] @ solved[:, 1:]
        stays = np.setdiff1d(np.arange(len(w)), gone)
        w, h, left = w[stays], h[np.ix_(stays, stays)], left[stays]
        count -= number
    result[left] = w
    return result


def _refuse(model: Any, chosen: Sequence[str]) -> None:
    """Raise for layers whose Hessian cannot be had."""
    offenders = []
    for name in chosen:
        layer = model.get_layer(name)
        inputs = int(np.prod(layer.kernel.shape[:-1]))
        if not isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)) or getattr(layer, "groups", 1) > 1:
            offenders.append(f"{name!r} ({type(layer).__name__}) is no dense layer or plain 2D convolution")
        elif call_count(layer) > 1:
            offenders.append(f"{name!r} is called {call_count(layer)} times, so what it reads is not one array")
        elif inputs > _INPUTS:
            offenders.append(
                f"{name!r} reads {inputs} values, an inverse Hessian of {inputs}² does not fit; obd has the diagonal"
            )
    if offenders:
        listed = "\n".join(f"  - {offender}" for offender in offenders)
        raise UnsupportedError(f"optimal brain surgeon cannot prune {model.name!r}; name other layers:\n{listed}")
