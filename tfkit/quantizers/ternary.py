"""Weights of -a, 0 and b: ternary weight networks and trained ternary quantization."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.quantizers._base import AtLeast, LearnedQuantizer, Quantizer, positive
from tfkit.quantizers._levels import Levels, of_integers
from tfkit.quantizers._names import quantizer
from tfkit.quantizers.gradients import straight_through


def ternary(x: Any, threshold: Any) -> Any:
    """sign(x) where |x| > threshold, and 0."""
    import tensorflow as tf

    return tf.cast(x > threshold, tf.float32) - tf.cast(x < -threshold, tf.float32)


@quantizer("twn")
class TernaryWeights(Quantizer):
    """Ternary weights with threshold and scale that approximate the real ones.

    Forward: q = α · t, t = sign(w) · 1[|w| > Δ], Δ = 0.7 · mean(|w|) over the layer, α = mean of |w| where |w| > Δ.
    Gradient: dL/dw = dL/dq · f'(w), f' = 1.

    Args:
        pseudo_gradient: another f' by name, of u = w / max(|w|).

    Source: Li et al. 2016, https://arxiv.org/abs/1605.04711, section 2 (threshold and scale of normal weights). Larq's
    ``ste_tern`` has its threshold and no scale.
    """

    precision = 2
    default_gradient = "identity"

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        values = tf.stop_gradient(x)
        threshold, scale = self._scale(values)
        top = tf.reduce_max(tf.abs(values))
        return straight_through(
            x, lambda w: scale * ternary(w, threshold), lambda w: self._derivative(tf.math.divide_no_nan(w, top))
        )

    def _scale(self, values: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        size = tf.abs(values)
        threshold = 0.7 * tf.reduce_mean(size)
        beyond = tf.cast(size > threshold, tf.float32)
        return threshold, tf.math.divide_no_nan(tf.reduce_sum(size * beyond), tf.reduce_sum(beyond))

    def levels(self, values: Any = None) -> Levels:
        return of_integers([-1, 0, 1], self._scale(self._needed(values))[1].numpy())


@quantizer("ttq")
class TrainedTernary(LearnedQuantizer):
    """Ternary weights with learned scales for the positive and for the negative ones.

    Forward: q = W_p where w > Δ, -W_n where w < -Δ, else 0; Δ = t · max(|w|).
    Gradient: dL/dw = s · dL/dq with s = W_p, W_n and 1 in the three sets;
    dL/dW_p = Σ dL/dq over w > Δ, dL/dW_n = -Σ dL/dq over w < -Δ, the derivatives of the forward pass.

    W_p and W_n begin at the mean of |w| of their set.

    Args:
        threshold: t.
        pseudo_gradient: f' by name, of u = w / max(|w|), times the gradient towards w.

    Source: Zhu et al. 2017, https://arxiv.org/abs/1612.01064, section 4 (threshold, and gradients of scales and
    latent weights).
    """

    precision = 2
    default_gradient = "identity"

    def __init__(self, threshold: float = 0.05, **kwargs: Any) -> None:
        self.threshold = positive("TTQ", "threshold", threshold)
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.positive = self.add_weight("positive", (), initializer="ones", constraint=AtLeast())
        self.negative = self.add_weight("negative", (), initializer="ones", constraint=AtLeast())
        super().build(input_shape)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        import tensorflow as tf

        top = tf.reduce_max(tf.abs(x))

        def mean(inside: Any) -> Any:
            return tf.maximum(tf.reduce_sum(tf.abs(x) * inside) / tf.maximum(tf.reduce_sum(inside), 1.0), 1e-3)

        limit = self.threshold * top
        above, below = tf.cast(x > limit, tf.float32), tf.cast(x < -limit, tf.float32)
        return [(self.positive, mean(above)), (self.negative, mean(below))]

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        top = tf.stop_gradient(tf.reduce_max(tf.abs(x)))
        threshold = self.threshold * top

        @tf.custom_gradient
        def call(w: Any, up: Any, down: Any) -> Any:
            above, below = tf.cast(w > threshold, tf.float32), tf.cast(w < -threshold, tf.float32)

            def gradient(upstream: Any) -> tuple[Any, Any, Any]:
                slope = up * above + down * below + (1.0 - above - below)
                return (
                    upstream * slope * self._derivative(tf.math.divide_no_nan(w, top)),
                    tf.reduce_sum(upstream * above),
                    -tf.reduce_sum(upstream * below),
                )

            return up * above - down * below, gradient

        return call(x, tf.convert_to_tensor(self.positive), tf.convert_to_tensor(self.negative))

    def levels(self, values: Any = None) -> Levels:
        codes = np.array([[-1, 0], [0, 0], [0, 1]])
        return Levels(codes, np.array([self.negative.numpy(), self.positive.numpy()]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}
