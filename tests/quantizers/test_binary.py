from __future__ import annotations

import numpy as np
import pytest

from helpers.keras import sign
from helpers.quantizers import data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 31


@pytest.mark.parametrize("name", ["ste_sign", "bnn", "bwn", "binary_connect", "approx_sign", "swish_sign"])
def test_signs_and_their_gradients(name: str) -> None:
    x, upstream = data((5, 9), SEED)
    slopes = {
        "approx_sign": np.where(np.abs(x) <= 1, 2 - 2 * np.abs(x), 0),
        "swish_sign": 5 * (2 - 5 * x * np.tanh(2.5 * x)) / (1 + np.cosh(5 * x)),
    }
    quantizer = quantizers.get(name)
    np.testing.assert_array_equal(quantizer(x), sign(x))
    (dx,) = gradients(quantizer, x, upstream)
    wanted = upstream * slopes.get(name, np.abs(x) <= 1)
    np.testing.assert_allclose(dx, wanted, rtol=1e-4, atol=1e-5, err_msg=f"seed {SEED}")


def test_magnitude_aware_sign_scales_each_channel() -> None:
    x, _ = data((3, 3, 4, 5), SEED)
    scale = np.abs(x).reshape(-1, 5).mean(0)
    np.testing.assert_allclose(quantizers.get("magnitude_aware_sign")(x), sign(x) * scale, rtol=1e-6)
    assert np.allclose(quantizers.levels(quantizers.MagnitudeAwareSign(), x).values[:, 1], scale)


def test_stochastic_sign_draws_in_training_with_the_papers_probability() -> None:
    """P(+1) = hard sigmoid; of 20000 draws the share lies within 5 standard deviations, 0.018."""
    quantizer = quantizers.StochasticSign()
    for value, chance in ((-1.5, 0.0), (-1.0, 0.0), (-0.5, 0.25), (0.0, 0.5), (0.8, 0.9), (1.0, 1.0)):
        drawn = quantizer(np.full((20000,), value, np.float32), training=True).numpy()
        assert set(np.unique(drawn)) <= {-1.0, 1.0}
        assert abs((drawn > 0).mean() - chance) < 0.018, value


def test_stochastic_sign_is_the_sign_at_inference() -> None:
    x, upstream = data((7, 7), SEED)
    quantizer = quantizers.StochasticSign()
    np.testing.assert_array_equal(quantizer(x), sign(x))
    for training in (False, True):
        (dx,) = gradients(quantizer, x, upstream, training)
        np.testing.assert_array_equal(dx, upstream * (np.abs(x) <= 1))


def test_stochastic_inference_is_refused() -> None:
    with pytest.raises(UsageError, match="takes inference 'sign', got 'stochastic'; weights are drawn in training"):
        quantizers.StochasticSign(inference="stochastic")
