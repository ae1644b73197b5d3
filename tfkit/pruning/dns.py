"""Dynamic network surgery: pruned weights keep learning and are spliced in again. Guo et al. 2016."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit.pruning.masked import Masked, check_sparsity
from tfkit.pruning.method import Method, Pruning, wrap_kernels

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class Spliced(Masked):
    """w ⊙ T with a gradient as if T were 1 everywhere."""

    def effective(self, training: Any) -> Any:
        w = self.layer.kernel
        return w + tf.stop_gradient(w * self.mask - w)

    def update(self, a: Any, b: Any) -> None:
        """Set the mask by equation 14."""
        size = tf.abs(self.layer.kernel)
        self.mask.assign(tf.where(size < a, 0.0, tf.where(size < b, self.mask, 1.0)))


@dataclass(frozen=True)
class DynamicNetworkSurgery(Method):
    """Masks follow the weights in both directions while all weights learn.

        forward:   q = w ⊙ T                     gradient:  dL/dw = dL/dq (also where T = 0)
        T = 0 where |w| < a;   T as it was where a <= |w| < b;   T = 1 where |w| >= b

    a and b are (1 ∓ margin) times the quantile of |w| over all layers at the share of zeros that is wanted; that rises
    as sparsity · (1 - (1 - t)³) with t from 0 to 1 over two thirds of the run. In step i masks are updated with
    probability (1 + slowing · i)^-1; then they are set once with a = b, and the last third of the run keeps them.

    Args:
        sparsity: the share of zeros at the end, inside (0, 1).
        margin: half the width of the band [a, b) in which a mask stays, relative to the threshold.
        slowing: how fast updates become rare.

    Source: Guo et al. 2016, https://arxiv.org/abs/1608.04493, equations 1 to 4; equation 14 of Roth et al. 2020,
    https://arxiv.org/abs/2001.03048. The thresholds of the paper are found by trial for each layer.
    """

    name: ClassVar[str] = "dns"
    summary: ClassVar[str] = "dynamic network surgery: pruned weights may come back"
    source: ClassVar[str] = "Guo et al. 2016, https://arxiv.org/abs/1608.04493"

    sparsity: float = 0.8
    margin: float = 0.1
    slowing: float = 0.01

    def __post_init__(self) -> None:
        check_sparsity(self.sparsity)
        if not 0 <= self.margin < 1 or self.slowing < 0:
            raise UsageError(
                f"margin lies in [0, 1) and slowing is not negative; got {self.margin:g} and {self.slowing:g}"
            )

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        return wrap_kernels(model, layers, Spliced)

    def after_step(self, pruning: Pruning, step: Any, rate: Any) -> None:
        step = tf.cast(step, tf.int32)
        last = max(1, pruning.epochs * pruning.steps * 2 // 3)
        share = self.sparsity * (1 - (1 - tf.cast(step, tf.float32) / last) ** 3)
        # A function of the step alone, so that a continued run draws the same.
        chance = tf.random.stateless_uniform((), (step, 20160816))
        due = chance < 1 / (1 + self.slowing * tf.cast(step, tf.float32))

        def keep() -> tf.Tensor:
            return tf.constant(0)

        def update() -> tf.Tensor:
            return self._update(pruning.wrappers, share, self.margin)

        def settle() -> tf.Tensor:
            return self._update(pruning.wrappers, tf.constant(self.sparsity, tf.float32), 0.0)

        tf.case([(step > last, keep), (tf.equal(step, last), settle), (due, update)], default=keep)

    def _update(self, wrappers: Sequence[Any], share: Any, margin: float) -> Any:
        ordered = tf.sort(tf.concat([tf.reshape(tf.abs(wrapper.layer.kernel), [-1]) for wrapper in wrappers], 0))
        number = tf.cast(tf.round(share * tf.cast(tf.size(ordered), tf.float32)), tf.int32)
        threshold = ordered[tf.minimum(number, tf.size(ordered) - 1)]
        for wrapper in wrappers:
            wrapper.update((1 - margin) * threshold, (1 + margin) * threshold)
        return tf.constant(1)
