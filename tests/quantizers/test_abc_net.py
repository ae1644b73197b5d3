from __future__ import annotations

import numpy as np
import pytest

from helpers.keras import sign
from helpers.quantizers import built, data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 33


def fitted(w: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Bases and scales by NumPy's own least squares."""
    shifts = np.linspace(-1, 1, bits) if bits > 1 else [0.0]
    bases = np.stack([sign(w - w.mean() + u * w.std()).ravel() for u in shifts], 1)
    return bases, np.linalg.lstsq(bases, w.ravel(), rcond=None)[0]


@pytest.mark.parametrize("bits", [1, 2, 3, 5])
def test_weights_are_the_best_sum_of_binary_kernels(bits: int) -> None:
    w = np.random.default_rng(SEED).normal(size=(3, 3, 8, 4)).astype(np.float32)
    upstream = np.random.default_rng(SEED + 1).normal(size=w.shape).astype(np.float32)
    bases, scales = fitted(w, bits)
    quantizer = quantizers.ABCWeights(bits)
    np.testing.assert_allclose(quantizer(w), (bases @ scales).reshape(w.shape), rtol=1e-4, atol=1e-4)
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_allclose(dw, upstream * scales.sum(), rtol=1e-3, atol=1e-4, err_msg=f"seed {SEED}")
    np.testing.assert_allclose(quantizer.levels(w).scales, scales, rtol=1e-3, atol=1e-4)


def test_more_bases_are_closer() -> None:
    w = np.random.default_rng(SEED).normal(size=(500,)).astype(np.float32)
    errors = [float(np.square(w - quantizers.ABCWeights(bits)(w)).mean()) for bits in (1, 3, 5)]
    assert errors == sorted(errors, reverse=True)


def test_activations_and_their_gradients() -> None:
    x, upstream = data((4, 10), SEED)
    quantizer = built(quantizers.ABCActivations(3), x)
    v, beta = np.array([-0.3, 0.4, 1.0], np.float32), np.array([0.5, 0.2, 0.9], np.float32)
    quantizer.shifts.assign(v)
    quantizer.scales.assign(beta)
    signs = np.where(2 * (x[..., None] + v) - 1 >= 0, 1.0, -1.0)
    inside = np.abs(2 * (x[..., None] + v) - 1) <= 1
    np.testing.assert_allclose(quantizer(x), signs @ beta, rtol=1e-5, atol=1e-6)
    dx, dv, dbeta = gradients(quantizer, x, upstream)
    np.testing.assert_allclose(dx, upstream * (inside @ beta), rtol=1e-4, atol=1e-5, err_msg=f"seed {SEED}")
    np.testing.assert_allclose(dv, (upstream[..., None] * inside * beta).sum((0, 1)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(dbeta, (upstream[..., None] * signs).sum((0, 1)), rtol=1e-4, atol=1e-4)


def test_wrong_numbers_of_bases_are_refused() -> None:
    for bits in (0, 6, 9):
        with pytest.raises(UsageError, match=f"ABC-Net takes 1 to 5 bits, got {bits}"):
            quantizers.ABCWeights(bits)
