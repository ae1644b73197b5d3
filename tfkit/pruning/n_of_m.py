"""N:M sparsity: of every M weights in a row at most N are not zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit.pruning.method import Method, wrap_kernels
from tfkit.pruning.reparameterized import Reparameterized

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class NOfMKernel(Reparameterized):
    """A kernel of which every group of ``m`` weights shows its ``n`` largest; see ``NOfM``."""

    def __init__(self, layer: Any, n: int, m: int, decay: float, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.n, self.m, self.decay = n, m, decay

    def effective(self, training: Any) -> Any:
        w = self.layer.kernel
        return w + tf.stop_gradient(w * self._shown(w) - w)

    def _shown(self, w: Any) -> Any:
        """The mask: 1 for the n largest of each m along all that an output reads."""
        size = tf.transpose(tf.abs(tf.reshape(w, (-1, w.shape[-1]))))
        inputs = size.shape[1]
        padded = tf.pad(size, [[0, 0], [0, -inputs % self.m]], constant_values=-1.0)
        groups = tf.reshape(padded, (-1, self.m))
        # The place of each weight in its group, largest first; of equal ones the first comes first.
        order = tf.argsort(groups, axis=1, direction="DESCENDING", stable=True)
        place = tf.argsort(order, axis=1, stable=True)
        mask = tf.reshape(tf.cast(place < self.n, w.dtype), padded.shape)[:, :inputs]
        return tf.reshape(tf.transpose(mask), w.shape)

    def after_step(self, step: Any, rate: Any) -> None:
        w = self.layer.kernel
        w.assign_sub(rate * self.decay * (1 - self._shown(w)) * w)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n, "m": self.m, "decay": self.decay}


@dataclass(frozen=True)
class NOfM(Method):
    """The network sees the n largest of every m consecutive weights; the others learn on and may come back.

        forward:   q = w ⊙ E, E = 1 for the n largest |w| of each group, else 0
        gradient:  dL/dw = dL/dq; after each step w -= rate · decay · (1 - E) ⊙ w

    A group is m weights that follow each other in what one output reads: (height, width, input channel), the channel
    running fastest; the last group of an output may be smaller. The share of zeros is 1 - n / m.

    Args:
        n, m: the pattern, 0 < n < m.
        decay: pulls hidden weights towards zero, so that they do not take turns.

    Source: Zhou et al. 2021, https://arxiv.org/abs/2102.04010, equation 10 (SR-STE).
    """

    name: ClassVar[str] = "n_of_m"
    summary: ClassVar[str] = "of every M weights in a row the N largest stay"
    source: ClassVar[str] = "Zhou et al. 2021, https://arxiv.org/abs/2102.04010"

    n: int = 2
    m: int = 10
    decay: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.n < self.m:
            raise UsageError(f"an N:M pattern has 0 < N < M; got {self.n}:{self.m}, for example 2:4")
        if self.decay < 0:
            raise UsageError(f"decay is not negative; got {self.decay}")

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        return wrap_kernels(model, layers, NOfMKernel, n=self.n, m=self.m, decay=self.decay)


def keeps_pattern(kernel: np.ndarray, n: int, m: int) -> bool:
    """Whether no group of ``m`` weights of a kernel (..., outputs) has more than ``n`` that are not zero."""
    rows = np.reshape(kernel, (-1, kernel.shape[-1])).T
    starts = np.arange(0, rows.shape[1], m)
    return bool(np.all(np.add.reduceat((rows != 0).astype(int), starts, 1) <= n))
