"""Group variational dropout: Bayesian compression with a scale per channel. Louizos et al. 2017."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit.pruning.method import Pruning
from tfkit.pruning.reparameterized import bias_and_activation, linear, while_training
from tfkit.pruning.structured import Structured, StructuredKernel
from tfkit.pruning.variational import K1, K2, K3, VariationalKernel, warm_up


class ScaledKernel(StructuredKernel, VariationalKernel):
    """w = z · v with a random scale z per channel; see ``GroupVD``."""

    def __init__(self, layer: Any, parts: Any, method: GroupVD, **kwargs: Any) -> None:
        super().__init__(layer, parts, **kwargs)
        self.method, self.seed = method, method.seed

    def structure(self, kernel: Any) -> None:
        super().structure(kernel)
        begin, speed = self.method.log_variance, self.method.speed
        self.scale = self.add_weight("scale", (self.parts.count,), initializer="ones")
        self.slow_scale_log_variance = self.slow("scale_log_variance", (self.parts.count,), begin, speed)
        self.slow_log_variance = self.slow("log_variance", kernel.shape, begin, speed)

    @property
    def scale_log_variance(self) -> Any:
        """The logarithm of the variance of every scale."""
        return self.slow_scale_log_variance * self.method.speed

    @property
    def log_variance(self) -> Any:
        """log σ² of every weight."""
        return self.slow_log_variance * self.method.speed

    def outputs(self, inputs: Any, training: Any) -> Any:
        def noisy() -> Any:
            deviation = tf.exp(0.5 * self.scale_log_variance)
            z = self.scale + deviation * self.normal((tf.shape(inputs)[0], self.parts.count))
            # One scale per sample and channel, where the channel is read.
            spread = tf.gather(tf.concat([z, tf.ones_like(z[:, :1])], 1), self.parts.inputs, axis=1)
            scaled = inputs * tf.reshape(spread, [-1, *[1] * (len(inputs.shape) - 2), spread.shape[1]])
            mean = linear(self.layer, scaled, tf.convert_to_tensor(self.layer.kernel))
            variance = linear(self.layer, tf.square(scaled), tf.exp(self.log_variance))
            return mean + tf.sqrt(variance + 1e-8) * self.normal(tf.shape(mean), 1)

        def plain() -> Any:
            return linear(self.layer, inputs, self._scaled())

        return bias_and_activation(self.layer, while_training(training, noisy, plain))

    def _scaled(self) -> Any:
        return self.layer.kernel * self.parts.spread(tf.convert_to_tensor(self.scale))

    def log_alpha(self) -> Any:
        """log α of the scales."""
        return self.scale_log_variance - tf.math.log(tf.square(self.scale) + 1e-8)

    def divergence(self) -> Any:
        log_alpha = self.log_alpha()
        scales = -tf.reduce_sum(K1 * tf.sigmoid(K2 + K3 * log_alpha) - 0.5 * tf.math.softplus(-log_alpha) - K1)
        mean, log_variance = self.layer.kernel, self.log_variance
        return scales + 0.5 * tf.reduce_sum(tf.exp(log_variance) + tf.square(mean) - 1 - log_variance)

    def scores(self) -> np.ndarray:
        return -np.asarray(self.log_alpha())

    def final(self) -> np.ndarray:
        return np.asarray(self._scaled())


@dataclass(frozen=True)
class GroupVD(Structured):
    """A scale per channel with a log-uniform prior; channels go whose scale is noise.

        w = z · v,   q(z) = N(μ_z, α · μ_z²) per channel and sample,   q(v) = N(μ, σ²),  p(v) = N(0, 1)
        -KL ≈ Σ_z [k₁ · sigmoid(k₂ + k₃ · log α) - 1/2 · log(1 + 1/α) - k₁] + 1/2 Σ_v [1 + log σ² - σ² - μ²]
        L' = E_q[L] + weight · warm-up · KL / N,   N training samples
        score: -log α;   afterwards: w = μ_z · μ

    The normal-Jeffreys variant of the paper, channels scored where they are read.

    Args:
        weight: of the divergence; 1 is the evidence lower bound.
        log_variance: of scales and weights at the beginning.
        speed: log variances move so many times faster than weights.
        seed: of the noise.

    Source: Louizos, Ullrich and Welling 2017, https://arxiv.org/abs/1705.08665, section 4.1, equations 7 to 10.
    """

    name: ClassVar[str] = "group_vd"
    summary: ClassVar[str] = "group variational dropout: channels whose scale is noise go"
    source: ClassVar[str] = "Louizos et al. 2017, https://arxiv.org/abs/1705.08665"
    wrapper: ClassVar[type[StructuredKernel]] = ScaledKernel
    structures: ClassVar[tuple[str, ...]] = ("channel",)

    weight: float = 1.0
    log_variance: float = -9.0
    speed: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weight >= 0 or not -30 <= self.log_variance <= 0 or not self.speed > 0:
            raise UsageError(
                "group_vd takes a weight that is not negative, a log_variance in [-30, 0] and a positive speed; got "
                f"{self.weight:g}, {self.log_variance:g} and {self.speed:g}"
            )

    def before_epoch(self, pruning: Pruning, epoch: int) -> None:
        warm = warm_up(epoch, pruning.epochs)
        for wrapper in pruning.wrappers:
            wrapper.share.assign(self.weight * warm / pruning.size)

    def arguments(self) -> dict[str, Any]:
        return {"method": self}
