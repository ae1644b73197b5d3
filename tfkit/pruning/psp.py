"""Parameterised structured pruning: structure parameters learn what to remove. Schindler et al. 2020."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit.pruning.own_steps import OwnStepKernel, with_own_steps
from tfkit.pruning.structured import Structured, StructuredKernel


class PSPKernel(OwnStepKernel):
    """w_i · ν(α_i) for the weights w_i of structure i; see ``PSP``."""

    def __init__(self, layer: Any, parts: Any, method: PSP, **kwargs: Any) -> None:
        super().__init__(layer, parts, **kwargs)
        self.method = method

    def structure(self, kernel: Any) -> None:
        super().structure(kernel)
        self.velocity = self.add_weight("velocity", (self.parts.count,), initializer="zeros", trainable=False)

    def effective(self, training: Any) -> Any:
        return self.layer.kernel * self.parts.spread(thresholded(self.parameter, self.method.threshold))

    def step(self, gradient: Any, rate: Any) -> None:
        method, alpha = self.method, self.parameter
        moved = method.momentum * self.velocity - rate * method.speed * (gradient + method.decay * alpha)
        self.velocity.assign(moved)
        alpha.assign_add(moved)

    def scores(self) -> np.ndarray:
        return np.abs(self.parameter.numpy())


def thresholded(alpha: Any, threshold: float) -> Any:
    """ν(α) = α where |α| >= ε, else 0; the gradient is dν/dα = 1 everywhere (straight-through)."""
    alpha = tf.convert_to_tensor(alpha)
    return alpha + tf.stop_gradient(tf.where(tf.abs(alpha) < threshold, 0.0, alpha) - alpha)


@dataclass(frozen=True)
class PSP(Structured):
    """Each structure of a kernel is scaled by a parameter that weight decay pulls to zero unless the loss holds it.

        forward:   q_i = w_i · ν(α_i),   ν(α) = α for |α| >= ε, 0 else
        gradient:  dL/dα_i = Σ_j w_ij · dL/dq_ij  (the sum over the structure; straight through ν)
        step:      Δ = momentum · Δ - η · (dL/dα + decay · α);   α += Δ,   η = speed · learning rate

    The gradients of all weights of a structure add up in α, so one that matters resists the decay and one that does
    not falls below ε: the parameters separate by themselves. They begin at 1; at the end they are multiplied into
    the kernel. Their steps are those of gradient descent with momentum, whatever optimizer the weights have.

    Args:
        decay: λ, of the structure parameters.
        threshold: ε.
        momentum: of the structure parameters.
        speed: their learning rate, relative to that of the weights.

    Source: Schindler, Roth, Pernkopf and Fröning 2020, https://arxiv.org/abs/1906.05180, section 3; the method of
    Roth et al. 2020, https://arxiv.org/abs/2001.03048, section 5.1.2.
    """

    name: ClassVar[str] = "psp"
    summary: ClassVar[str] = "parameterised structured pruning: weight decay on learned structure parameters"
    source: ClassVar[str] = "Schindler et al. 2020, https://arxiv.org/abs/1906.05180"
    wrapper: ClassVar[type[StructuredKernel]] = PSPKernel

    decay: float = 0.05
    threshold: float = 1e-2
    momentum: float = 0.9
    speed: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not min(self.decay, self.threshold) >= 0 or not self.speed > 0 or not 0 <= self.momentum < 1:
            raise UsageError(
                "psp takes decay and threshold that are not negative, a positive speed and a momentum in [0, 1); got "
                f"{self.decay:g}, {self.threshold:g}, {self.speed:g} and {self.momentum:g}"
            )

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        return with_own_steps(super().wrap(model, layers))

    def arguments(self) -> dict[str, Any]:
        return {"method": self}
