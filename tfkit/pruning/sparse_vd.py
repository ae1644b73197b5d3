"""Sparse variational dropout: a dropout rate for every weight. Molchanov et al. 2017."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit.pruning.reparameterized import bias_and_activation, linear, while_training
from tfkit.pruning.variational import K1, K2, K3, Variational, VariationalKernel


class DropoutKernel(VariationalKernel):
    """w ~ N(θ, σ²) with σ² = α · θ²; θ is the kernel of the layer."""

    def __init__(self, layer: Any, method: SparseVD, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.method, self.seed = method, method.seed

    def structure(self, kernel: Any) -> None:
        super().structure(kernel)
        method = self.method
        self.slow_log_variance = self.slow("log_variance", kernel.shape, method.log_variance, method.speed)

    @property
    def log_variance(self) -> Any:
        """log σ² of every weight."""
        return self.slow_log_variance * self.method.speed

    def log_alpha(self) -> Any:
        """log α, in [-8, 8] as in the authors' experiments."""
        return tf.clip_by_value(self.log_variance - tf.math.log(tf.square(self.layer.kernel) + 1e-8), -8.0, 8.0)

    def outputs(self, inputs: Any, training: Any) -> Any:
        def noisy() -> Any:
            mean = linear(self.layer, inputs, tf.convert_to_tensor(self.layer.kernel))
            variance = linear(self.layer, tf.square(inputs), tf.exp(self.log_variance))
            return mean + tf.sqrt(variance + 1e-8) * self.normal(tf.shape(mean))

        def plain() -> Any:
            return linear(self.layer, inputs, tf.convert_to_tensor(self.layer.kernel))

        return bias_and_activation(self.layer, while_training(training, noisy, plain))

    def divergence(self) -> Any:
        log_alpha = self.log_alpha()
        return -tf.reduce_sum(K1 * tf.sigmoid(K2 + K3 * log_alpha) - 0.5 * tf.math.softplus(-log_alpha) - K1)

    def scores(self) -> np.ndarray:
        theta = self.layer.kernel.numpy().astype(np.float64)
        # Not clipped: which of two useless weights is more so still has an order.
        return np.asarray(np.log(theta**2 + 1e-30) - np.asarray(self.log_variance))


@dataclass(frozen=True)
class SparseVD(Variational):
    """Gaussian dropout with a rate for each weight, learned; a rate without bound means that the weight is noise.

        q(w) = N(θ, σ²),  α = σ² / θ²;   outputs of a layer: N(x θ, x² σ²) (local reparameterization, additive noise)
        -KL ≈ Σ k₁ · sigmoid(k₂ + k₃ · log α) - 1/2 · log(1 + 1/α) - k₁,   p(w) log-uniform
        score: -log α

    with k = 0.63576, 1.87320, 1.48695.

    Args:
        log_variance: log σ² at the beginning.

    Source: Molchanov, Ashukha and Vetrov 2017, https://arxiv.org/abs/1701.05369, equations 11 to 14.
    """

    name: ClassVar[str] = "sparse_vd"
    summary: ClassVar[str] = "sparse variational dropout: weights with a high dropout rate go"
    source: ClassVar[str] = "Molchanov et al. 2017, https://arxiv.org/abs/1701.05369"
    wrapper: ClassVar[type[VariationalKernel]] = DropoutKernel

    log_variance: float = -10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -30 <= self.log_variance <= 0:
            raise UsageError(f"log_variance lies in [-30, 0]; got {self.log_variance:g}")
