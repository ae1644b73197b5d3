from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import built, data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 34


def test_twn() -> None:
    w, upstream = data((3, 3, 4, 5), SEED)
    threshold = np.float32(0.7) * np.abs(w).mean()
    beyond = np.abs(w) > threshold
    alpha = np.abs(w)[beyond].mean()
    quantizer = quantizers.TernaryWeights()
    np.testing.assert_allclose(quantizer(w), alpha * np.sign(w) * beyond, rtol=1e-5)
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_array_equal(dw, upstream, err_msg=f"seed {SEED}")
    np.testing.assert_allclose(quantizer.levels(w).values, [-alpha, 0, alpha], rtol=1e-5)


def test_twn_of_zeros_is_zero() -> None:
    w = np.zeros((4, 3), np.float32)
    np.testing.assert_array_equal(quantizers.TernaryWeights()(w), w)


def test_ttq() -> None:
    w, upstream = data((6, 7), SEED)
    quantizer = built(quantizers.TrainedTernary(threshold=0.2), w)
    quantizer.positive.assign(0.75)
    quantizer.negative.assign(1.5)
    limit = np.float32(0.2) * np.abs(w).max()
    above, below = w > limit, w < -limit
    np.testing.assert_allclose(quantizer(w), 0.75 * above - 1.5 * below)
    dw, dp, dn = gradients(quantizer, w, upstream)
    np.testing.assert_allclose(dw, upstream * np.where(above, 0.75, np.where(below, 1.5, 1.0)), rtol=1e-6)
    np.testing.assert_allclose(dp, upstream[above].sum(), rtol=1e-5, err_msg=f"seed {SEED}")
    np.testing.assert_allclose(dn, -upstream[below].sum(), rtol=1e-5)
    np.testing.assert_array_equal(quantizer.levels().values, np.array([-1.5, 0, 0.75], np.float32))


def test_ttq_scales_begin_at_the_mean_of_their_weights() -> None:
    w, _ = data((6, 7), SEED)
    quantizer = built(quantizers.TrainedTernary(), w)
    quantizer.start(w)
    limit = 0.05 * np.abs(w).max()
    np.testing.assert_allclose(quantizer.positive, w[w > limit].mean(), rtol=1e-5)
    np.testing.assert_allclose(quantizer.negative, -w[w < -limit].mean(), rtol=1e-5)


def test_a_threshold_that_is_not_positive_is_refused() -> None:
    with pytest.raises(UsageError, match="TTQ takes a positive threshold, got 0"):
        quantizers.TrainedTernary(threshold=0)
