from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import built, data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 41


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_weights_are_rounded_in_the_logarithm(bits: int) -> None:
    w, upstream = data((8, 9), SEED)
    quantizer = built(quantizers.LogWeights(bits), w)
    quantizer.full_scale.assign(0.0)
    exponents = 2 ** (bits - 1) - 1
    with np.errstate(divide="ignore"):
        rounded = np.minimum(np.round(np.log2(np.abs(w))), 0)
    wanted = np.where(rounded > -exponents, np.sign(w) * np.exp2(rounded), 0)
    np.testing.assert_array_equal(quantizer(w), wanted, err_msg=f"seed {SEED}")
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_array_equal(dw, upstream)
    assert set(np.unique(quantizer(w))) <= set(quantizer.levels().values)


def test_activations() -> None:
    x, upstream = data((8, 9), SEED)
    quantizer = built(quantizers.LogActivations(2), x)
    quantizer.full_scale.assign(0.0)
    found = quantizer(x).numpy()
    assert set(np.unique(found)) == {0.0, 0.25, 0.5, 1.0}
    assert (found[x <= 0] == 0).all()
    (dx,) = gradients(quantizer, x, upstream)
    clear = np.abs(x) > 1e-20
    np.testing.assert_array_equal(dx[clear], (upstream * ((x >= 0) & (x <= 2**0.5)))[clear], err_msg=f"seed {SEED}")


def test_full_scale_comes_from_the_first_weights() -> None:
    w = np.array([[0.3, -5.0], [0.0, 1.0]], np.float32)
    quantizer = built(quantizers.LogWeights(4), w)
    quantizer.start(w)
    assert quantizer.full_scale.numpy() == 2.0
    np.testing.assert_array_equal(quantizer(w), [[0.25, -4.0], [0.0, 1.0]])


def test_other_bits_are_refused() -> None:
    with pytest.raises(UsageError, match=r"Logarithmic quantization takes 2 to 5 bits, got 9; 5 bits already span"):
        quantizers.LogWeights(9)
