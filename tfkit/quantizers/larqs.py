"""The levels of any quantizer, Larq's included."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit._larq import larq
from tfkit.quantizers._base import Quantizer
from tfkit.quantizers._levels import Levels, of_integers

larqs = larq.quantizers


def levels(quantizer: Any, values: Any = None) -> Levels:
    """The values that ``quantizer`` gives at inference.

    Args:
        quantizer: one of tfkit's or of Larq's.
        values: the latent kernel, where the scales come from it.

    Raises:
        UsageError: the quantizer does not tell its levels, or needs ``values``.

    >>> levels(larqs.SteSign()).values.tolist()
    [-1.0, 1.0]
    """
    if isinstance(quantizer, Quantizer):
        return quantizer.levels(values)
    if isinstance(quantizer, larqs.SteSign | larqs.ApproxSign | larqs.SwishSign):
        return of_integers([-1, 1], 1.0)
    if isinstance(quantizer, larqs.MagnitudeAwareSign):
        if values is None:
            raise UsageError("the scales of MagnitudeAwareSign come from the kernel: levels(quantizer, kernel)")
        return of_integers([-1, 1], np.abs(np.asarray(values)).reshape(-1, np.shape(values)[-1]).mean(0))
    if isinstance(quantizer, larqs.SteHeaviside):
        return of_integers([0, 1], 1.0)
    if isinstance(quantizer, larqs.SteTern):
        return of_integers([-1, 0, 1], 1.0)
    if isinstance(quantizer, larqs.DoReFa):
        n = 2**quantizer.precision - 1
        codes = np.arange(n + 1) if quantizer.mode == "activations" else np.arange(-n, n + 1, 2)
        return of_integers(codes, 1.0 / n)
    name = getattr(quantizer, "__name__", type(quantizer).__name__)
    raise UsageError(f"{name} does not tell its levels; use a quantizer of tfkit.quantizers or of Larq")
