"""The base of the methods that learn a distribution of the weights: noise tells which of them carry nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit.pruning.masked import check_sparsity
from tfkit.pruning.method import Method, Pruning, wrap_kernels
from tfkit.pruning.reparameterized import Reparameterized
from tfkit.pruning.stochastic import Stochastic
from tfkit.pruning.thresholds import largest_of_all

keras = legacy_keras()

# Of the approximation of the KL divergence from the log-uniform prior: Molchanov et al. 2017, equation 14.
K1, K2, K3 = 0.63576, 1.87320, 1.48695


class VariationalKernel(Stochastic):
    """A wrapper whose penalty is a KL divergence, weighed by ``share`` of the loss of one sample."""

    def structure(self, kernel: Any) -> None:
        super().structure(kernel)
        self.share = self.add_weight("share", (), initializer="zeros", trainable=False)

    def slow(self, name: str, shape: Any, value: float, speed: float) -> Any:
        """A variable that is ``speed`` times as large where it is used, and ``value`` there at the beginning.

        Adam's steps suit weights; the logarithm of a variance has a much larger range.
        """
        return self.add_weight(f"slow_{name}", shape, initializer=keras.initializers.Constant(value / speed))

    def divergence(self) -> Any:
        """KL(q || p) of all weights of the layer: a scalar."""
        raise NotImplementedError

    def penalty(self) -> Any:
        return self.share * self.divergence()

    def scores(self) -> np.ndarray:
        """One number per weight, larger for what matters more."""
        raise NotImplementedError

    def final(self) -> np.ndarray:
        return np.asarray(Reparameterized.effective(self, False))


@dataclass(frozen=True)
class Variational(Method):
    """Maximize the evidence lower bound, then zero what the noise drowns, then train what is left.

        L' = E_q[L] + weight · warm-up · KL(q(W) || p(W)) / N,   N training samples

    The warm-up rises from 0 to 1 over the first half of the epochs. The share of weights with the lowest scores
    becomes zero, with one threshold for all layers.

    Args:
        sparsity: the share of zeros, inside (0, 1).
        weight: of the divergence; 1 is the bound itself.
        speed: variances (their logarithms) move so many times faster than weights.
        seed: of the noise.
    """

    tunes: ClassVar[bool] = True
    wrapper: ClassVar[type[VariationalKernel]]

    sparsity: float = 0.8
    weight: float = 1.0
    speed: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_sparsity(self.sparsity)
        if not self.weight >= 0 or not self.speed > 0:
            raise UsageError(
                f"{self.name} takes a weight of the divergence that is not negative and a positive speed; got "
                f"{self.weight:g} and {self.speed:g}"
            )

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        return wrap_kernels(model, layers, self.wrapper, method=self)

    def before_epoch(self, pruning: Pruning, epoch: int) -> None:
        warm = warm_up(epoch, pruning.epochs)
        for wrapper in pruning.wrappers:
            wrapper.share.assign(self.weight * warm / pruning.size)

    def finish(self, pruning: Pruning) -> Any:
        scores = {wrapper.layer.name: wrapper.scores() for wrapper in pruning.wrappers}
        masks = largest_of_all(scores, self.sparsity)
        model = super().finish(pruning)
        for name, mask in masks.items():
            kernel = model.get_layer(name).kernel
            kernel.assign(kernel * mask)
        return model


def warm_up(epoch: int, epochs: int) -> float:
    """The factor of the divergence in an epoch (from 0): rising to 1 in half of the epochs."""
    return min(1.0, (epoch + 1) / max(1, epochs // 2))
