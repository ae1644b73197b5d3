"""One bit a value: the sign functions of Larq under the papers' names, and the stochastic sign of BinaryConnect.

All give q(x) = +1 for x >= 0 and -1 otherwise, and differ in the derivative that stands in for that of the sign:

| alias | class | dq/dx | source |
|---|---|---|---|
| ste_sign, bnn, bwn, binary_connect | SteSign | 1[abs(x) <= 1] | Hubara et al. 2016, https://arxiv.org/abs/1602.02830 |
| approx_sign | ApproxSign | (2 - 2 abs(x)) 1[abs(x) <= 1] | Liu et al. 2018, https://arxiv.org/abs/1808.00278 |
| swish_sign | SwishSign | β(2 - βx tanh(βx/2)) / (1 + cosh(βx)) | Darabi et al., https://arxiv.org/abs/1812.11800 |
| magnitude_aware_sign | MagnitudeAwareSign | of q = α sign: α 1[abs(x) <= 1] | Liu et al. 2018, section 3.3 |

BinaryConnect and its binary weight networks pass the gradient on unchanged and clip the latent weights to [-1, 1],
where that is the derivative of SteSign; tfkit's layers clip them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._larq import larq
from tfkit.quantizers._base import Quantizer, one_of
from tfkit.quantizers._drawing import Drawing
from tfkit.quantizers._levels import Levels, of_integers
from tfkit.quantizers._names import alias, quantizer
from tfkit.quantizers.gradients import straight_through

SteSign = larq.quantizers.SteSign
ApproxSign = larq.quantizers.ApproxSign
SwishSign = larq.quantizers.SwishSign
MagnitudeAwareSign = larq.quantizers.MagnitudeAwareSign

for _name in ("ste_sign", "bnn", "bwn", "binary_connect"):
    alias(_name, SteSign)
alias("approx_sign", ApproxSign)
alias("swish_sign", SwishSign)
alias("magnitude_aware_sign", MagnitudeAwareSign)


def stochastic_sign(x: Any, pseudo_gradient: Any) -> Any:
    """+1 with probability max(0, min(1, (x + 1) / 2)) and -1 otherwise."""
    import tensorflow as tf

    def draw(values: Any) -> Any:
        chance = tf.clip_by_value((values + 1.0) / 2.0, 0.0, 1.0)
        return tf.where(tf.random.uniform(tf.shape(values)) < chance, 1.0, -1.0)

    return straight_through(x, draw, pseudo_gradient)


@quantizer("binary_connect_stochastic")
class StochasticSign(Drawing, Quantizer):
    """Binary weights drawn anew in every training step, as BinaryConnect's stochastic ones.

    Forward, training: q = +1 with probability σ(w) = max(0, min(1, (w + 1) / 2)), else -1. Inference: sign(w).
    Gradient: dL/dw = dL/dq · 1[|w| <= 1]; the method clips w to [-1, 1], where this is dL/dq.
    The paper keeps real weights at inference after drawing; signs need ``Settling``, which tfkit's recipes have.

    Args:
        inference: "sign"; a network that draws weights while it is used has no packed form.
        pseudo_gradient: another derivative by name, see ``PSEUDO_GRADIENTS``.

    Source: Courbariaux et al. 2015, https://arxiv.org/abs/1511.00363, section 2.3 and algorithm 1.
    """

    precision = 1
    is_sign = True

    def __init__(self, inference: str = "sign", **kwargs: Any) -> None:
        hint = "weights are drawn in training only, inference takes the likelier value"
        self.inference = one_of(type(self).__name__, "inference", inference, ("sign",), hint)
        super().__init__(**kwargs)

    def quantize(self, x: Any, training: Any) -> Any:
        return self._either(
            self._draws(training),
            lambda: stochastic_sign(x, self._derivative),
            lambda: straight_through(x, larq.math.sign, self._derivative),
        )

    def levels(self, values: Any = None) -> Levels:
        return of_integers([-1, 1], np.float32(1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "inference": self.inference}
