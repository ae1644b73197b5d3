"""Half-wave Gaussian quantization of activations."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tfkit.quantizers._base import ACTIVATIONS, Quantizer, checked_bits, one_of
from tfkit.quantizers._levels import Levels, uniform
from tfkit.quantizers._names import quantizer
from tfkit.quantizers.gradients import straight_through

BACKWARD = ("clipped", "log_tailed", "vanilla")


@cache
def half_wave_step(bits: int) -> float:
    """The step Δ for which Δ · {1, ..., 2^bits - 1} has the least squared error on positive normal values.

    Found by alternating, as Lloyd's algorithm does, between the nearest multiple and the best step for it.

    >>> round(half_wave_step(2), 2), round(half_wave_step(3), 2)
    (0.54, 0.32)
    """
    x = np.arange(0.5e-4, 8.0, 1e-4)
    weight = np.exp(-x * x / 2)
    top = 2**bits - 1
    step = 3.0 / top
    for _ in range(1000):
        code = np.clip(np.round(x / step), 1, top)
        before, step = step, float((weight * code * x).sum() / (weight * code * code).sum())
        if abs(step - before) < 1e-9:
            break
    return step


@quantizer("hwgq_a{bits}", range(1, 5))
class HWGQ(Quantizer):
    """A ReLU in few levels that suit normally distributed inputs, as behind a batch normalization.

    Forward: q = 0 for x <= 0, else Δ · min(max(round(x / Δ), 1), 2^k - 1), Δ as ``half_wave_step``.
    Gradient, with the highest level q_m: dL/dx = dL/dq · 1[0 < x <= q_m] ("clipped"); above q_m also
    1 / (x - q_m + 1) ("log_tailed") or 1 ("vanilla").

    Args:
        bits: k, 1 to 4.
        backward: "clipped", "log_tailed" or "vanilla".
        pseudo_gradient: another derivative by name, of u = 2x / q_m - 1, instead of "clipped".

    Source: Cai et al. 2017, https://arxiv.org/abs/1702.00953, sections 3.2 (forward) and 3.3 (backward).
    """

    role = ACTIVATIONS

    def __init__(self, bits: int = 2, backward: str = "clipped", **kwargs: Any) -> None:
        self.precision = checked_bits("HWGQ", bits, 1, 4, "more bits are linear: use 'lsq_a8' or 'dorefa_a8'")
        self.backward = one_of("HWGQ", "backward", backward, BACKWARD)
        self.step = half_wave_step(self.precision)
        super().__init__(**kwargs)

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        codes, step = 2.0**self.precision - 1.0, self.step
        return straight_through(
            x,
            lambda v: tf.cast(v > 0.0, tf.float32) * (step * tf.clip_by_value(tf.round(v / step), 1.0, codes)),
            self._slope,
        )

    def _slope(self, x: Any) -> Any:
        import tensorflow as tf

        top = self.step * (2**self.precision - 1)
        if self.pseudo_gradient != "clipped":
            return self._derivative(2.0 * x / top - 1.0)
        inside = tf.cast((x > 0.0) & (x <= top), tf.float32)
        if self.backward == "clipped":
            return inside
        tail = 1.0 / (tf.maximum(x, top) - top + 1.0) if self.backward == "log_tailed" else 1.0
        return tf.where(x > top, tail, inside)

    def levels(self, values: Any = None) -> Levels:
        return uniform(0, 2**self.precision - 1, self.step)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision, "backward": self.backward}
