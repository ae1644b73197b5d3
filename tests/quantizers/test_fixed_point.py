from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 43


def test_inference_is_the_nearest_value() -> None:
    w, upstream = data((9, 9), SEED)
    quantizer = quantizers.FixedPointWeights(4)
    np.testing.assert_array_equal(quantizer(w), np.clip(np.round(w * 8), -8, 7) / 8)
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_array_equal(dw, upstream * ((w >= -1) & (w <= 0.875)), err_msg=f"seed {SEED}")


def test_training_rounds_at_random_and_right_in_the_mean() -> None:
    """Two neighbours, and a mean of 40000 draws within 5 deviations of at most ε/2: 0.0125 ε."""
    quantizer = quantizers.FixedPointActivations(4, integer_bits=1)
    for value in (-0.93, -0.01, 0.0, 0.3, 0.5):
        drawn = quantizer(np.full((40000,), value, np.float32), training=True).numpy() * 8
        assert set(np.unique(drawn)) <= {np.floor(value * 8), np.ceil(value * 8)}
        assert abs(drawn.mean() - value * 8) < 0.0125


def test_it_saturates() -> None:
    x = np.array([-100.0, 100.0], np.float32)
    for training in (False, True):
        np.testing.assert_array_equal(quantizers.FixedPointActivations(8)(x, training=training), [-4.0, 4.0 - 1 / 32])


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="takes inference 'nearest', got 'stochastic'; rounding is stochastic in"):
        quantizers.FixedPointWeights(8, inference="stochastic")
    with pytest.raises(UsageError, match=r"takes integer_bits from -16 to 16, got 0.5"):
        quantizers.FixedPointWeights(8, integer_bits=0.5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="FixedPointWeights takes 2 to 8 bits, got 0"):
        quantizers.FixedPointWeights(0)
