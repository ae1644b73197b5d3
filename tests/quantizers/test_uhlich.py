from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import built, data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 39


def test_weights() -> None:
    w, upstream = data((7, 9), SEED)
    quantizer = built(quantizers.UhlichWeights(3), w)
    step, codes = np.float32(0.25), 5
    quantizer.step.assign(step)
    quantizer.range.assign(step * codes)
    q = np.sign(w) * step * np.minimum(np.round(np.abs(w) / step), codes)
    np.testing.assert_allclose(quantizer(w), q, rtol=1e-6)
    dw, dstep, drange = gradients(quantizer, w, upstream)
    inside = np.abs(w) <= step * codes
    np.testing.assert_array_equal(dw, upstream * inside, err_msg=f"seed {SEED}")
    np.testing.assert_allclose(dstep, (upstream * inside * (q - w) / step).sum(), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(drange, (upstream * ~inside * np.sign(w)).sum(), rtol=1e-4)
    assert quantizer.precision == 4  # log2(5 + 1), rounded up, and the sign
    assert len(quantizer.levels()) == 11


def test_activations() -> None:
    x, upstream = data((7, 9), SEED)
    quantizer = built(quantizers.UhlichActivations(2), x)
    quantizer.step.assign(0.25)
    quantizer.range.assign(0.75)
    np.testing.assert_allclose(quantizer(x), 0.25 * np.clip(np.round(x / 0.25), 0, 3), atol=1e-7)
    dx, _, drange = gradients(quantizer, x, upstream)
    clear = np.abs(x) > 1e-20
    np.testing.assert_array_equal(dx[clear], (upstream * ((x >= 0) & (x <= 0.75)))[clear])
    np.testing.assert_allclose(drange, (upstream * (x > 0.75)).sum(), rtol=1e-4, err_msg=f"seed {SEED}")
    assert quantizer.precision == 2


def test_begins_with_the_bits_asked_for() -> None:
    w, _ = data((20, 20), SEED)
    for bits in range(2, 9):
        quantizer = built(quantizers.UhlichWeights(bits), w)
        quantizer.start(w)
        assert quantizer.precision == bits
        assert len(np.unique(quantizer(w))) <= 2**bits


def test_a_size_penalty_makes_the_bits_fewer() -> None:
    from helpers.keras import keras
    from tfkit.layers import QuantDense

    quantizer = quantizers.UhlichWeights(8, size_penalty=1.0)
    model = keras.Sequential([keras.layers.Input((6,)), QuantDense(4, kernel_quantizer=quantizer)])
    model.compile(keras.optimizers.SGD(0.003), "mse")
    x = np.random.default_rng(SEED).normal(size=(64, 6)).astype(np.float32)
    model.fit(x, x[:, :4], epochs=3, batch_size=16, verbose=0)
    assert quantizer.precision < 8


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="Uhlich's quantizer takes 2 to 8 bits, got 1; a sign is one bit"):
        quantizers.UhlichWeights(1)
    with pytest.raises(UsageError, match="size_penalty is not negative, got -1"):
        quantizers.UhlichWeights(4, size_penalty=-1)
