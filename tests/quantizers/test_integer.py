from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 44


def test_int4_has_a_scale_per_channel() -> None:
    w, upstream = data((3, 3, 4, 5), SEED)
    w[..., 2] = 0.0
    quantizer = quantizers.get("int4")
    top = np.abs(w).reshape(-1, 5).max(0)
    scale = np.maximum(top, 1e-30) / np.float32(7)
    np.testing.assert_allclose(quantizer(w), scale * np.round(w / scale), rtol=1e-5)
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_array_equal(dw, upstream, err_msg=f"seed {SEED}")
    assert quantizer.levels(w).values.shape == (5, 15)


def test_one_bit_is_refused() -> None:
    with pytest.raises(UsageError, match="IntegerWeights takes 2 to 8 bits, got 1; one bit is a sign"):
        quantizers.IntegerWeights(1)
