"""Kernels with a mask, and the base of the methods that fill the mask with zeros as training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit.pruning.method import Method, Pruning, wrap_kernels
from tfkit.pruning.reparameterized import Reparameterized

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class Masked(Reparameterized):
    """w ⊙ m with a mask m of zeros and ones that is no parameter: a pruned weight has no gradient and stays pruned."""

    def structure(self, kernel: Any) -> None:
        self.mask = self.add_weight("mask", kernel.shape, initializer="ones", trainable=False)

    def effective(self, training: Any) -> Any:
        return self.layer.kernel * self.mask


@dataclass(frozen=True)
class Gradual(Method):
    """Prune at the beginning of an epoch, train, and prune again; the last third of the epochs prunes no more.

    In round r = 1 ... R, R two thirds of the epochs, the share of zeros is s_r = 1 - (1 - sparsity)^(r / R), so that
    every round takes the same share of what is left. A weight that is gone stays gone.

    Args:
        sparsity: the share of zeros at the end, inside (0, 1).
    """

    sparsity: float = 0.8

    def __post_init__(self) -> None:
        check_sparsity(self.sparsity)

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        return wrap_kernels(model, layers, Masked)

    def before_epoch(self, pruning: Pruning, epoch: int) -> None:
        rounds = max(1, pruning.epochs * 2 // 3)
        if epoch < rounds:
            share = 1 - (1 - self.sparsity) ** ((epoch + 1) / rounds)
            for wrapper, mask in zip(pruning.wrappers, self.masks(pruning, share), strict=True):
                wrapper.mask.assign(mask)

    def masks(self, pruning: Pruning, share: float) -> list[np.ndarray]:
        """One mask per wrapper with ``share`` of zeros in all; zeros of the present masks are among them."""
        raise NotImplementedError


def check_sparsity(share: float) -> None:
    """Raise ``UsageError`` unless ``share`` lies inside (0, 1)."""
    if not 0 < share < 1:
        raise UsageError(f"sparsity is the final share of zeros, inside (0, 1); got {share}")


def alive(wrapper: Any, scores: np.ndarray) -> np.ndarray:
    """Scores in which pruned weights are the smallest of all."""
    return np.where(wrapper.mask.numpy() > 0, scores, -np.inf)
