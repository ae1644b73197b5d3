"""Bayes by backprop, pruned by signal-to-noise ratio. Graves 2011, Blundell et al. 2015."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit.pruning.reparameterized import while_training
from tfkit.pruning.variational import Variational, VariationalKernel


class GaussianKernel(VariationalKernel):
    """w ~ N(μ, σ²) with σ = log(1 + exp ρ); μ is the kernel of the layer."""

    def __init__(self, layer: Any, method: SNR, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.method, self.seed = method, method.seed

    def structure(self, kernel: Any) -> None:
        super().structure(kernel)
        rho = math.log(math.expm1(self.method.deviation))
        self.slow_rho = self.slow("rho", kernel.shape, rho, self.method.speed)

    def effective(self, training: Any) -> Any:
        mean = tf.convert_to_tensor(self.layer.kernel)
        return while_training(training, lambda: mean + self._deviation() * self.normal(mean.shape), lambda: mean)

    def _deviation(self) -> Any:
        return tf.nn.softplus(self.slow_rho * self.method.speed)

    def divergence(self) -> Any:
        prior, mean, deviation = self.method.prior, self.layer.kernel, self._deviation()
        return tf.reduce_sum(math.log(prior) - tf.math.log(deviation) + (deviation**2 + mean**2) / (2 * prior**2) - 0.5)

    def scores(self) -> np.ndarray:
        return np.abs(self.layer.kernel.numpy()) / np.asarray(self._deviation())


@dataclass(frozen=True)
class SNR(Variational):
    """Each weight has a mean and a deviation; those go whose mean is small against its deviation.

        q(w) = N(μ, σ²),  σ = log(1 + exp ρ);   w = μ + σ · ε,  ε ~ N(0, 1), drawn once per step
        p(w) = N(0, prior²);   KL = log(prior / σ) + (σ² + μ²) / (2 · prior²) - 1/2
        score: |μ| / σ

    Args:
        prior: the deviation of the prior.
        deviation: σ at the beginning.

    Source: Graves 2011, "Practical variational inference for neural networks", section 5; Blundell et al. 2015,
    https://arxiv.org/abs/1505.05424, section 3.2 (with one Gaussian as the prior, for which KL is known).
    """

    name: ClassVar[str] = "snr"
    summary: ClassVar[str] = "Bayes by backprop: weights with a low signal-to-noise ratio go"
    source: ClassVar[str] = "Blundell et al. 2015, https://arxiv.org/abs/1505.05424"
    wrapper: ClassVar[type[VariationalKernel]] = GaussianKernel

    prior: float = 0.1
    deviation: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.prior > 0 or not self.deviation > 0:
            raise UsageError(f"deviations are positive; got prior={self.prior:g}, deviation={self.deviation:g}")
