"""Fixed point with stochastic rounding."""

from __future__ import annotations

from typing import Any

from tfkit._errors import UsageError
from tfkit.quantizers._base import ACTIVATIONS, Quantizer, checked_bits, one_of
from tfkit.quantizers._drawing import Drawing
from tfkit.quantizers._levels import Levels, uniform
from tfkit.quantizers._names import quantizer
from tfkit.quantizers.gradients import straight_through


class _FixedPoint(Drawing, Quantizer):
    """What weights and activations share: ⟨IL, FL⟩ and the two ways to round."""

    def __init__(
        self, bits: int = 8, integer_bits: int = 1, rounding: str = "stochastic", inference: str = "nearest",
        **kwargs: Any,
    ) -> None:  # fmt: skip
        method = type(self).__name__
        self.precision = checked_bits(method, bits, 2, 8, "one bit is a sign: 'ste_sign'" if bits == 1 else "")
        if isinstance(integer_bits, bool) or not isinstance(integer_bits, int) or not -16 <= integer_bits <= 16:
            raise UsageError(f"{method} takes integer_bits from -16 to 16, got {integer_bits!r}; 1 spans [-1, 1)")
        self.integer_bits = integer_bits
        self.rounding = one_of(method, "rounding", rounding, ("stochastic", "nearest"))
        hint = "rounding is stochastic in training only; inference takes the nearest value"
        self.inference = one_of(method, "inference", inference, ("nearest",), hint)
        self.step = 2.0 ** (integer_bits - self.precision)
        super().__init__(**kwargs)

    def quantize(self, x: Any, training: Any) -> Any:
        import tensorflow as tf

        top = 2.0 ** (self.precision - 1)

        def on_grid(rounded: Any) -> Any:
            return self.step * tf.clip_by_value(rounded, -top, top - 1.0)

        def nearest(v: Any) -> Any:
            return on_grid(tf.round(v / self.step))

        def drawn(v: Any) -> Any:
            return on_grid(tf.floor(v / self.step + tf.random.uniform(tf.shape(v))))

        draws = self._draws(training) if self.rounding == "stochastic" else False

        def chosen(v: Any) -> Any:
            return self._either(draws, lambda: drawn(v), lambda: nearest(v))

        middle, half = -0.5 * self.step, (top - 0.5) * self.step
        return straight_through(x, chosen, lambda v: self._derivative((v - middle) / half))

    def levels(self, values: Any = None) -> Levels:
        top = 2 ** (self.precision - 1)
        return uniform(-top, top - 1, self.step)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "bits": self.precision,
            "integer_bits": self.integer_bits,
            "rounding": self.rounding,
            "inference": self.inference,
        }


@quantizer("fixed_w{bits}", range(2, 9))
class FixedPointWeights(_FixedPoint):
    """Weights in fixed point ⟨IL, FL⟩, k = IL + FL bits with sign, step ε = 2^-FL.

    Forward, training: ⌊w⌋ε with probability 1 - (w - ⌊w⌋ε) / ε and ⌊w⌋ε + ε otherwise, which is w in the mean;
    clipped to [-2^(IL-1), 2^(IL-1) - ε]. Inference: the nearest such value.
    Gradient: dL/dw = dL/dq · f'(u), f' = 1[|u| <= 1], that is 1 between the ends of the grid.

    Args:
        bits: k, 2 to 8.
        integer_bits: IL, with the sign; 1 spans [-1, 1).
        rounding: "stochastic" or "nearest", in training.
        inference: "nearest"; a network that draws while it is used has no packed form.
        pseudo_gradient: another f' by name.

    Source: Gupta et al. 2015, https://arxiv.org/abs/1502.02551, section 3 (number representation and rounding modes).
    """


@quantizer("fixed_a{bits}", range(2, 9))
class FixedPointActivations(_FixedPoint):
    """Activations in fixed point; as ``FixedPointWeights``, with IL = 3, which spans [-4, 4), if not told otherwise.

    Source: Gupta et al. 2015, https://arxiv.org/abs/1502.02551, section 3.
    """

    role = ACTIVATIONS

    def __init__(self, bits: int = 8, integer_bits: int = 3, **kwargs: Any) -> None:
        super().__init__(bits, integer_bits, **kwargs)
