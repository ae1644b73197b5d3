"""Quantized kernels are traced as the constants that they are at inference.

Converters fold most quantizers by themselves, but not all: of learned bases they keep the search for the nearest level,
with tables larger than the kernel, and then fold no batch normalization into it either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tfkit.converters.declared import effective, is_quantize_wrapper, kernel_names, walk
from tfkit.layers import has_more_values


@contextmanager
def constant_kernels(model: Any) -> Iterator[None]:
    """While the block runs, reading a kernel of few bits gives its quantized values as a constant."""
    before: list[tuple[Any, Any]] = []
    try:
        for _, layer, outermost in walk(model):
            for name in () if is_quantize_wrapper(outermost) else kernel_names(layer):
                variable = getattr(layer, name)
                # Signs stay as they are: Larq Compute Engine's converter knows them.
                if has_more_values(getattr(variable, "quantizer", None)):
                    before.append((variable, variable.quantizer))
                    variable.quantizer = _constant(effective(layer, name))
        yield
    finally:
        for variable, quantizer in reversed(before):
            variable.quantizer = quantizer


def _constant(values: np.ndarray) -> Callable[[Any], Any]:
    def quantized(latent: Any) -> Any:
        import tensorflow as tf

        return tf.constant(values, latent.dtype)

    return quantized
