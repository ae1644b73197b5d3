"""Set the activation ranges of a quantization-aware model from data."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._errors import DataError
from tfkit.quantization import tfmot

# A range of zero width would make the scale zero; this is what a dead activation gets instead.
_NARROWEST = 1e-4


class _Observer:
    """Stands in for a quantizer: widens its range to the data, then quantizes with it."""

    def __init__(self, quantizer: Any) -> None:
        self._quantizer = quantizer
        self.low, self.high = 0.0, _NARROWEST  # TFLite wants zero inside every range

    def __call__(self, inputs: Any, training: Any, weights: Any, **kwargs: Any) -> Any:
        values = np.asarray(inputs)
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        weights["min_var"].assign(self.low)
        weights["max_var"].assign(self.high)
        return self._quantizer(inputs, False, weights=weights, **kwargs)


def calibrate(model: Any, samples: np.ndarray, batch_size: int = 128) -> Any:
    """Set every activation range to what ``samples`` show, and every weight range to the weights; in place.

    The samples run through the model as in inference, each layer seeing what the quantized layers before it
    give. TF-MOT's own moving averages (decay 0.999, from [-6, 6]) need thousands of steps to get there.

    Args:
        model: what ``quantize_aware`` returned.
        samples: network inputs (after preprocessing), shape (sample, ...); some hundred will do.

    Raises:
        DataError: there are no samples, they do not fit the input, or are not finite.
    """
    import tensorflow as tf

    samples = np.asarray(samples)
    expected = tuple(model.input_shape[1:])
    fits = samples.ndim == len(expected) + 1 and all(
        want is None or got == want for got, want in zip(samples.shape[1:], expected, strict=True)
    )
    if not fits or not len(samples) or not np.isfinite(samples).all():
        raise DataError(
            f"calibration data of shape {samples.shape} does not fit: finite samples of shape {expected} are needed"
        )
    tfmot.refresh_weight_ranges(model)
    ranges = [found for found in tfmot.activation_ranges(model) if not found.is_fixed]
    originals = [found.quantizer for found in ranges]
    try:
        for found, original in zip(ranges, originals, strict=True):
            found.quantizer = _Observer(original)
        for start in range(0, len(samples), batch_size):
            model(tf.constant(samples[start : start + batch_size], tf.float32), training=False)
    finally:
        for found, original in zip(ranges, originals, strict=True):
            found.quantizer = original
    return model
