from __future__ import annotations

import numpy as np
import pytest

from helpers.keras import sign
from helpers.quantizers import data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 35


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_weights(bits: int) -> None:
    w, upstream = data((3, 3, 4, 5), SEED)
    n = 2**bits - 1
    squashed = np.tanh(w)
    top = np.abs(squashed).max()
    quantizer = quantizers.DoReFaWeights(bits)
    wanted = 2 * np.round(n * (squashed / top / 2 + 0.5)) / n - 1
    # An ulp of tanh can move a value over an edge; none of the seed's does.
    np.testing.assert_allclose(quantizer(w), wanted, atol=1e-6, err_msg=f"seed {SEED}")
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_allclose(dw, upstream * (1 - squashed**2) / top, rtol=1e-4, atol=1e-5)


def test_one_bit_weights_are_scaled_signs() -> None:
    w, upstream = data((8, 5), SEED)
    quantizer = quantizers.DoReFaWeights(1)
    np.testing.assert_allclose(quantizer(w), np.abs(w).mean() * sign(w), rtol=1e-5)
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_array_equal(dw, upstream)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_activations(bits: int) -> None:
    x, upstream = data((5, 11), SEED)
    n = 2**bits - 1
    quantizer = quantizers.DoReFaActivations(bits)
    np.testing.assert_allclose(quantizer(x), np.round(n * np.clip(x, 0, 1)) / n, atol=1e-7)
    (dx,) = gradients(quantizer, x, upstream)
    inside = np.abs(2 * x - 1) <= 1
    np.testing.assert_array_equal(dx, upstream * inside, err_msg=f"seed {SEED}")
    assert inside[(x == 0) | (x == 1)].all()


@pytest.mark.parametrize("bits", [0, 9, 2.0, True])
def test_other_bits_are_refused(bits: object) -> None:
    with pytest.raises(UsageError, match=r"DoReFa takes 1 to 8 bits, got .*; choose from 1 to 8"):
        quantizers.DoReFaWeights(bits)  # type: ignore[arg-type]
