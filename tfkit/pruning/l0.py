"""Gates that are zero with a learned probability: hard concrete. Louizos et al. 2018."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit.pruning.reparameterized import while_training
from tfkit.pruning.stochastic import Stochastic
from tfkit.pruning.structured import Structured, StructuredKernel

keras = legacy_keras()

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1  # temperature and ends of the stretched interval, section 4.1 of the paper


class HardConcreteKernel(StructuredKernel, Stochastic):
    """w_i · z_i with a random gate z_i per structure; see ``L0``."""

    def __init__(self, layer: Any, parts: Any, method: L0, **kwargs: Any) -> None:
        super().__init__(layer, parts, **kwargs)
        self.method, self.seed = method, method.seed

    def structure(self, kernel: Any) -> None:
        super().structure(kernel)
        odds = math.log((1 - self.method.dropped) / self.method.dropped)
        begin = keras.initializers.Constant(odds / self.method.speed)
        self.slow_log_alpha = self.add_weight("slow_log_alpha", (self.parts.count,), initializer=begin)

    @property
    def log_alpha(self) -> Any:
        """log α of every gate."""
        return self.slow_log_alpha * self.method.speed

    def effective(self, training: Any) -> Any:
        gates = while_training(training, self._random, self._expected)
        return self.layer.kernel * self.parts.spread(gates)

    def _random(self) -> Any:
        u = self.uniform((self.parts.count,))
        s = tf.sigmoid((tf.math.log(u) - tf.math.log(1 - u) + self.log_alpha) / BETA)
        return tf.clip_by_value(s * (ZETA - GAMMA) + GAMMA, 0.0, 1.0)

    def _expected(self) -> Any:
        return tf.clip_by_value(tf.sigmoid(self.log_alpha) * (ZETA - GAMMA) + GAMMA, 0.0, 1.0)

    def penalty(self) -> Any:
        open_ = tf.sigmoid(self.log_alpha - BETA * math.log(-GAMMA / ZETA))
        return self.method.strength * tf.reduce_mean(open_)

    def scores(self) -> np.ndarray:
        return np.asarray(tf.sigmoid(self.log_alpha))


@dataclass(frozen=True)
class L0(Structured):
    """The expected number of structures that are not zero is part of the loss.

        s = σ((log u - log(1 - u) + log α) / β),   u uniform;   z = min(1, max(0, s · (ζ - γ) + γ));   q = w · z
        L' = E[L] + strength · mean_i P(z_i > 0),  P = σ(log α - β · log(-γ / ζ))
        afterwards: z = min(1, max(0, σ(log α) · (ζ - γ) + γ))

    with β = 2/3, γ = -0.1, ζ = 1.1. The mean is over the structures of a layer, so that strength does not depend on
    the size of the network. One draw per step.

    Args:
        strength: λ.
        dropped: the probability with which a gate is closed at the beginning, inside (0, 1).
        speed: log α is so many times the variable that the optimizer moves: Adam's steps suit weights, which have a
            much smaller range.
        seed: of the gates.

    Source: Louizos, Welling and Kingma 2018, https://arxiv.org/abs/1712.01312, equations 9 to 13.
    """

    name: ClassVar[str] = "l0"
    summary: ClassVar[str] = "hard-concrete gates with an expected L0 penalty"
    source: ClassVar[str] = "Louizos et al. 2018, https://arxiv.org/abs/1712.01312"
    wrapper: ClassVar[type[StructuredKernel]] = HardConcreteKernel

    strength: float = 0.1
    dropped: float = 0.1
    speed: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.strength >= 0 or not 0 < self.dropped < 1 or not self.speed > 0:
            raise UsageError(
                "l0 takes a strength that is not negative, a share of closed gates inside (0, 1) and a positive speed; "
                f"got {self.strength:g}, {self.dropped:g} and {self.speed:g}"
            )

    def arguments(self) -> dict[str, Any]:
        return {"method": self}
