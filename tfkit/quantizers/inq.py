"""Incremental network quantization: weights become powers of two group by group while the rest makes up for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit._keras import flat_layers, legacy_keras
from tfkit.quantizers._base import Quantizer, checked_bits
from tfkit.quantizers._levels import Levels, of_integers
from tfkit.quantizers._names import quantizer

keras = legacy_keras()


@quantizer("inq_w{bits}", range(2, 7))
class INQ(Quantizer):
    """Weights of 0 and ± powers of two, of which a growing share is fixed.

    Forward: q = the power of two that a weight was fixed to, or w itself while it is free.
    Gradient: dL/dw = dL/dq for free weights and 0 for fixed ones.

    ``fix`` fixes weights: highest exponent n₁ = ⌊log₂(4/3 · max|w|)⌋ of the first call, lowest
    n₂ = n₁ + 1 - 2^(k-1) / 2; a weight becomes ±β for (α + β) / 2 <= |w| < 3β / 2 with neighbouring powers α < β, and 0
    below. Until all are fixed the kernel is partly float; ``IncrementalQuantization`` fixes them along a schedule.

    Args:
        bits: k, 2 to 6.

    Source: Zhou et al. 2017, https://arxiv.org/abs/1702.03044, section 2.1 (n₁, n₂, and the codes of equation 4) and
    section 2.2 (partition by magnitude).
    """

    recipe = "incremental"
    default_gradient = "identity"

    def __init__(self, bits: int = 5, **kwargs: Any) -> None:
        hint = "6 bits already span 2^15; use 'lsq_w8' for a finer grid"
        self.precision = checked_bits("INQ", bits, 2, 6, hint)
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.fixed = self.add_weight("fixed", input_shape, initializer="zeros", trainable=False)
        self.values = self.add_weight("values", input_shape, initializer="zeros", trainable=False)
        self.exponent = self.add_weight("exponent", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def quantize(self, x: Any, training: Any) -> Any:
        free = 1.0 - self.fixed
        return x * free + self.values * self.fixed

    @property
    def share(self) -> float:
        """Share of the weights that are fixed."""
        return float(self.fixed.numpy().mean())

    def fix(self, kernel: Any, share: float) -> None:
        """Fix the largest free weights of ``kernel`` until ``share`` of all are fixed; fixed ones stay as they are."""
        if not 0 < share <= 1:
            raise UsageError(f"the share of fixed weights lies in (0, 1], got {share!r}; the last one is 1")
        w, fixed = np.asarray(kernel, np.float32), self.fixed.numpy() > 0
        if not fixed.any():
            self.exponent.assign(np.floor(np.log2(max(float(np.abs(w).max()), 1e-30) * 4 / 3)))
        missing = round(share * w.size) - int(fixed.sum())
        if missing <= 0:
            return
        size = np.where(fixed, -1.0, np.abs(w)).ravel()
        chosen = np.zeros(w.size, bool)
        chosen[np.argsort(-size, kind="stable")[:missing]] = True
        chosen = chosen.reshape(w.shape)
        self.values.assign(np.where(chosen, self._powers(w), self.values.numpy()))
        self.fixed.assign((fixed | chosen).astype(np.float32))

    def _powers(self, w: np.ndarray) -> np.ndarray:
        size, result = np.abs(w), np.zeros_like(w)
        for number in reversed(range(self._exponents)):
            beta = 2.0 ** (float(self.exponent.numpy()) - number)
            smaller = beta / 2 if number < self._exponents - 1 else 0.0
            result[size >= (smaller + beta) / 2] = beta
        return np.copysign(result, w) * (result > 0)

    @property
    def _exponents(self) -> int:
        return int(2 ** (self.precision - 1) // 2)

    def levels(self, values: Any = None) -> Levels:
        """Those of fixed weights."""
        powers = 2 ** np.arange(self._exponents)
        scale = 2.0 ** (float(self.exponent.numpy()) - self._exponents + 1)
        return of_integers([*-powers[::-1], 0, *powers], scale)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.precision}


class IncrementalQuantization(keras.callbacks.Callback):  # type: ignore[name-defined]
    """Fix weights of all ``INQ`` kernels of a model along a schedule.

    Args:
        schedule: epoch -> share of the weights that is fixed when it begins; rising to 1. The paper fixes half of the
            weights, then half of what is left, and at last all: ``{0: 0.5, 4: 0.75, 8: 0.875, 12: 1.0}``.

    Raises:
        UsageError: the shares do not rise to 1, or the model has no INQ kernel.

    Source: Zhou et al. 2017, https://arxiv.org/abs/1702.03044, algorithm 1 and section 3.1.
    """

    def __init__(self, schedule: Mapping[int, float]) -> None:
        super().__init__()
        shares = [schedule[epoch] for epoch in sorted(schedule)]
        if not shares or shares != sorted(shares) or shares[-1] != 1 or not shares[0] > 0:
            raise UsageError(
                f"the shares of an INQ schedule rise to 1, got {dict(schedule)}; for example {{0: 0.5, 3: 1}}"
            )
        self.schedule = dict(schedule)

    @classmethod
    def at(cls, partitions: Sequence[float], epochs: int) -> IncrementalQuantization:
        """Fix half of what is left at each of these shares of ``epochs``, and all at the last one.

        >>> IncrementalQuantization.at((0.4, 0.55, 0.7, 0.85), 20).schedule
        {8: 0.5, 11: 0.75, 14: 0.875, 17: 1.0}
        """
        last = len(partitions) - 1
        shares = [1.0 if number == last else 1.0 - 0.5 ** (number + 1) for number in range(len(partitions))]
        return cls({math.floor(round(part * epochs, 6)): share for part, share in zip(partitions, shares, strict=True)})

    def on_train_begin(self, logs: Any = None) -> None:
        if not self._kernels():
            raise UsageError(f'{self.model.name!r} has no INQ kernel; build it with kernel_quantizer="inq_w5"')

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch in self.schedule:
            for quantizer, kernel in self._kernels():
                quantizer.fix(kernel, self.schedule[epoch])

    def _kernels(self) -> list[tuple[INQ, Any]]:
        found = []
        for layer in flat_layers(self.model):
            for part in ("kernel", "depthwise_kernel", "pointwise_kernel"):
                name = f"{part}_quantizer" if part == "kernel" else part.replace("kernel", "quantizer")
                one = getattr(layer, name, None)
                if isinstance(one, INQ):
                    kernel = getattr(layer, part)
                    found.append((one, getattr(kernel, "latent_variable", kernel).numpy()))
        return found
