"""Relaxed quantization: rounding as a draw from a categorical distribution that has a gradient."""

from __future__ import annotations

from typing import Any

from tfkit.quantizers._base import ACTIVATIONS, AtLeast, LearnedQuantizer, checked_bits, one_of, positive
from tfkit.quantizers._drawing import Drawing
from tfkit.quantizers._levels import Levels, uniform
from tfkit.quantizers._names import quantizer
from tfkit.quantizers.gradients import straight_through

_TINY = 1e-10


class _Relaxed(Drawing, LearnedQuantizer):
    """What weights and activations share: grid, noise and draw."""

    lowest: int
    highest: int

    def __init__(
        self, bits: int = 2, temperature: float = 1.0, hard: bool = True, inference: str = "nearest", **kwargs: Any
    ) -> None:
        hint = "memory grows with the levels: for more use 'lsq_w8' or 'lsq_a8'"
        self.precision = checked_bits("Relaxed quantization", bits, 1 if self.role == ACTIVATIONS else 2, 4, hint)
        self.temperature = positive("Relaxed quantization", "temperature", temperature)
        hint = "values are drawn in training only, inference rounds"
        self.inference = one_of("Relaxed quantization", "inference", inference, ("nearest",), hint)
        self.hard = bool(hard)
        signed = self.role != ACTIVATIONS
        self.lowest = -(2 ** (bits - 1)) if signed else 0
        self.highest = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.step = self.add_weight("step", (), initializer="ones", constraint=AtLeast())
        self.noise = self.add_weight("noise", (), constraint=AtLeast(1e-4))
        self.noise.assign(1.0 / 3.0)
        super().build(input_shape)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        import tensorflow as tf

        step = tf.maximum(2.0 * tf.reduce_mean(tf.abs(x)) / float(self.highest) ** 0.5, 1e-6)
        return [(self.step, step), (self.noise, step / 3.0)]

    def quantize(self, x: Any, training: Any) -> Any:
        return self._either(self._draws(training), lambda: self._draw(x), lambda: self._nearest(x))

    def _nearest(self, x: Any) -> Any:
        import tensorflow as tf

        step = tf.stop_gradient(tf.convert_to_tensor(self.step))
        middle, half = (self.highest + self.lowest) / 2.0, (self.highest - self.lowest) / 2.0
        return straight_through(
            x,
            lambda v: step * tf.clip_by_value(tf.round(v / step), float(self.lowest), float(self.highest)),
            lambda v: self._derivative((v / step - middle) / half),
        )

    def probabilities(self, x: Any) -> Any:
        """Of each level, on a new last axis: the mass of the logistic noise around x that rounds to it."""
        import tensorflow as tf

        step, noise = tf.convert_to_tensor(self.step), tf.convert_to_tensor(self.noise)
        edges = tf.range(self.lowest, self.highest + 2, dtype=tf.float32) - 0.5
        below = tf.sigmoid((step * edges - x[..., None]) / noise)
        mass = tf.maximum(below[..., 1:] - below[..., :-1], 0.0)  # sigmoid is not monotonous to the last bit
        mass = mass + _TINY
        return mass / tf.reduce_sum(mass, -1, keepdims=True)

    def _draw(self, x: Any) -> Any:
        import tensorflow as tf

        scores = tf.math.log(self.probabilities(x))
        gumbel = -tf.math.log(-tf.math.log(tf.random.uniform(tf.shape(scores), _TINY, 1.0)))
        soft = tf.nn.softmax((scores + gumbel) / self.temperature)
        if self.hard:
            one_hot = tf.one_hot(tf.argmax(soft, -1), soft.shape[-1])
            soft = straight_through(soft, lambda _: one_hot, tf.ones_like)
        grid = tf.convert_to_tensor(self.step) * tf.range(self.lowest, self.highest + 1, dtype=tf.float32)
        return tf.linalg.matvec(soft, grid)

    def levels(self, values: Any = None) -> Levels:
        return uniform(self.lowest, self.highest, self.step.numpy())

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "bits": self.precision,
            "temperature": self.temperature,
            "hard": self.hard,
            "inference": self.inference,
        }


@quantizer("relaxed_w{bits}", range(2, 5))
class RelaxedWeights(_Relaxed):
    """Weights drawn from the levels near them, with learned step α and noise σ.

    Forward, training: levels g_i = α · (-2^(k-1), ..., 2^(k-1) - 1);
    π_i ∝ S((g_i + α/2 - w) / σ) - S((g_i - α/2 - w) / σ), S the logistic function, normalized over the grid;
    z = softmax((log π + Gumbel noise) / λ); q = Σ z_i g_i, and with ``hard`` the level of the largest z_i.
    Inference: the nearest level.
    Gradient: of this graph, towards w, α and σ; through the hard choice as if it were z. The nearest level has
    dL/dw = dL/dq · f'.

    α begins at 2 mean(|w|) / √(2^(k-1) - 1), σ at α / 3.

    Args:
        bits: k, 2 to 4 (weights) or 1 to 4 (activations).
        temperature: λ.
        hard: draw levels, not mixtures of them.
        inference: "nearest"; a network that draws while it is used has no packed form.
        pseudo_gradient: f' of the nearest level by name.

    Source: Louizos et al. 2019, https://arxiv.org/abs/1810.01875, section 2; ``hard`` is its variant with the
    straight-through estimator.
    """


@quantizer("relaxed_a{bits}", range(1, 5))
class RelaxedActivations(_Relaxed):
    """Activations drawn from the levels near them; as ``RelaxedWeights`` with levels α · (0, ..., 2^k - 1).

    Source: Louizos et al. 2019, https://arxiv.org/abs/1810.01875, section 2.
    """

    role = ACTIVATIONS
