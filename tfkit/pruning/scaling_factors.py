"""Trainable scaling factors with proximal steps: sparse structure selection. Huang and Wang 2018."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit.pruning.own_steps import OwnStepKernel, with_own_steps
from tfkit.pruning.structured import Structured, StructuredKernel


class FactorKernel(OwnStepKernel):
    """w_i · λ_i for the weights w_i of structure i; see ``ScalingFactors``."""

    def __init__(self, layer: Any, parts: Any, method: ScalingFactors, **kwargs: Any) -> None:
        super().__init__(layer, parts, **kwargs)
        self.method = method

    def structure(self, kernel: Any) -> None:
        super().structure(kernel)
        self.velocity = self.add_weight("velocity", (self.parts.count,), initializer="zeros", trainable=False)

    def effective(self, training: Any) -> Any:
        return self.layer.kernel * self.parts.spread(tf.convert_to_tensor(self.parameter))

    def step(self, gradient: Any, rate: Any) -> None:
        method, factors = self.method, self.parameter
        eta = rate * method.speed
        z = factors - eta * gradient
        shrunk = tf.sign(z) * tf.maximum(tf.abs(z) - eta * method.strength, 0.0)
        velocity = shrunk - factors + method.momentum * self.velocity
        self.velocity.assign(velocity)
        factors.assign(shrunk + method.momentum * velocity)

    def scores(self) -> np.ndarray:
        return np.abs(self.parameter.numpy())


@dataclass(frozen=True)
class ScalingFactors(Structured):
    """Each structure is scaled by a factor with an ℓ1 penalty, minimized by accelerated proximal gradient steps.

        z = λ - η · dL/dλ
        v' = S(z) - λ + momentum · v,   S(z) = sign(z) · max(|z| - η · strength, 0)
        λ' = S(z) + momentum · v',      η = speed · learning rate

    Soft thresholding makes factors exactly zero. They begin at 1; at the end they are multiplied into the kernel.

    Args:
        strength: γ, of the ℓ1 penalty.
        momentum: μ.
        speed: the factors' learning rate, relative to that of the weights.

    Source: Huang and Wang 2018, https://arxiv.org/abs/1707.01213, equations 8 to 10 (APG-NAG).
    """

    name: ClassVar[str] = "scaling_factors"
    summary: ClassVar[str] = "an L1 penalty on factors of structures, by proximal steps"
    source: ClassVar[str] = "Huang and Wang 2018, https://arxiv.org/abs/1707.01213"
    wrapper: ClassVar[type[StructuredKernel]] = FactorKernel

    strength: float = 0.02
    momentum: float = 0.9
    speed: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.strength >= 0 or not self.speed > 0 or not 0 <= self.momentum < 1:
            raise UsageError(
                "scaling_factors takes a strength that is not negative, a positive speed and a momentum in [0, 1); got "
                f"{self.strength:g}, {self.speed:g} and {self.momentum:g}"
            )

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        return with_own_steps(super().wrap(model, layers))

    def arguments(self) -> dict[str, Any]:
        return {"method": self}
