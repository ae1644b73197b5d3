"""Binary gates with the unbiased ARM gradient. Li and Ji 2019."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras, set_untracked
from tfkit.pruning.method import learning_rate
from tfkit.pruning.own_steps import OwnStepKernel, with_own_steps
from tfkit.pruning.reparameterized import while_training, wrappers_of
from tfkit.pruning.stochastic import Stochastic
from tfkit.pruning.structured import Structured, StructuredKernel

keras = legacy_keras()


class BernoulliKernel(OwnStepKernel, Stochastic):
    """w_i · z_i with a gate z_i that is 0 or 1; see ``L0ARM``."""

    def __init__(self, layer: Any, parts: Any, method: L0ARM, **kwargs: Any) -> None:
        super().__init__(layer, parts, **kwargs)
        self.method, self.seed = method, method.seed
        self.shown: Any = None  # the gates of the forward pass that is being made

    def structure(self, kernel: Any) -> None:
        OwnStepKernel.structure(self, kernel)
        Stochastic.structure(self, kernel)

    def begin(self) -> Any:
        return keras.initializers.Constant(math.log((1 - self.method.dropped) / self.method.dropped))

    def effective(self, training: Any) -> Any:
        gates = while_training(training, self._random, self._settled) if self.shown is None else self.shown
        return self.layer.kernel * self.parts.spread(gates)

    def _random(self) -> Any:
        return tf.cast(self.uniform((self.parts.count,)) < self._open(), tf.float32)

    def _settled(self) -> Any:
        return tf.cast(self._open() > 0.5, tf.float32)

    def _open(self) -> Any:
        return tf.sigmoid(tf.convert_to_tensor(self.parameter))

    def step(self, gradient: Any, rate: Any) -> None:
        p = self._open()
        penalty = self.method.strength * p * (1 - p) / self.parts.count
        self.parameter.assign_sub(rate * self.method.speed * (gradient + penalty))

    def scores(self) -> np.ndarray:
        return np.asarray(self._open())


class ARMNetwork(keras.Model):  # type: ignore[name-defined]
    """A functional model that runs twice a step, with gates from u and from its mirror image."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        wrappers = wrappers_of(self)
        u = [wrapper.uniform((wrapper.parts.count,)) for wrapper in wrappers]
        openness = [tf.sigmoid(tf.convert_to_tensor(wrapper.parameter)) for wrapper in wrappers]
        self._show(wrappers, [tf.cast(v > 1 - p, tf.float32) for v, p in zip(u, openness, strict=True)])
        first = self.compute_loss(x, y, self(x, training=True), sample_weight)
        self._show(wrappers, [tf.cast(v < p, tf.float32) for v, p in zip(u, openness, strict=True)])
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            second = self.compute_loss(x, y, outputs, sample_weight)
        self._show(wrappers, [None] * len(wrappers))
        gradients = tape.gradient(second, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        rate = learning_rate(self.optimizer)
        for wrapper, v in zip(wrappers, u, strict=True):
            wrapper.step((first - second) * (v - 0.5), rate)
        return dict(self.compute_metrics(x, y, outputs, sample_weight))

    @staticmethod
    def _show(wrappers: Sequence[Any], gates: Sequence[Any]) -> None:
        for wrapper, values in zip(wrappers, gates, strict=True):
            set_untracked(wrapper, "shown", values)


@dataclass(frozen=True)
class L0ARM(Structured):
    """As ``l0`` with gates that are exactly 0 or 1, whose probabilities have an unbiased gradient.

        z ~ Bernoulli(σ(φ));   q = w · z;   L' = E[L] + strength · mean_i σ(φ_i)
        dE[L]/dφ = E_u[(L(1[u > σ(-φ)]) - L(1[u < σ(φ)])) · (u - 1/2)],   u uniform, one draw per step
        φ -= speed · learning rate · gradient
        afterwards: z = 1[σ(φ) > 1/2]

    Two forward passes per step, all gates of the network drawn at once; weights have the gradient of the second.

    Args:
        strength: λ.
        dropped: the probability with which a gate is closed at the beginning, inside (0, 1).
        speed: the gates' learning rate, relative to that of the weights.
        seed: of the gates.

    Source: Li and Ji 2019, https://arxiv.org/abs/1904.04432, equation 14; Yin and Zhou 2019,
    https://arxiv.org/abs/1807.11143, theorem 1.
    """

    name: ClassVar[str] = "l0_arm"
    summary: ClassVar[str] = "binary gates with an expected L0 penalty and the ARM gradient"
    source: ClassVar[str] = "Li and Ji 2019, https://arxiv.org/abs/1904.04432"
    wrapper: ClassVar[type[StructuredKernel]] = BernoulliKernel

    strength: float = 0.1
    dropped: float = 0.1
    speed: float = 1000.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.strength >= 0 or not 0 < self.dropped < 0.5 or not self.speed > 0:
            raise UsageError(
                "l0_arm takes a strength that is not negative, a share of closed gates inside (0, 0.5) and a positive "
                f"speed; got {self.strength:g}, {self.dropped:g} and {self.speed:g}"
            )

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        return with_own_steps(super().wrap(model, layers), ARMNetwork)

    def arguments(self) -> dict[str, Any]:
        return {"method": self}
