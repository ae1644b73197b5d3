from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.quantizers import built, data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError

SEED = 37
CASES = [(quantizers.LSQWeights, 2, -2, 1), (quantizers.LSQWeights, 4, -8, 7), (quantizers.LSQActivations, 2, 0, 3)]


def learned(cls: Any, bits: int, x: np.ndarray, step: float) -> Any:
    quantizer = built(cls(bits), x)
    quantizer.step.assign(step)
    return quantizer


@pytest.mark.parametrize(("cls", "bits", "lowest", "highest"), CASES)
def test_forward_and_gradients(cls: Any, bits: int, lowest: int, highest: int) -> None:
    x, upstream = data((4, 3, 5), SEED)
    step = np.float32(0.3)
    quantizer = learned(cls, bits, x, step)
    units = x / step
    codes = np.round(np.clip(units, lowest, highest))
    np.testing.assert_allclose(quantizer(x), codes * step, rtol=1e-6)
    dx, ds = gradients(quantizer, x, upstream)
    inside = (units > lowest) & (units < highest)
    count = x.size if cls is quantizers.LSQWeights else x[0].size
    scale = 1 / np.sqrt(count * highest)
    on_edge = np.abs(np.minimum(np.abs(units - lowest), np.abs(units - highest))) < 1e-5
    np.testing.assert_array_equal(dx[~on_edge], (upstream * inside)[~on_edge], err_msg=f"seed {SEED}")
    wanted = scale * (upstream * np.where(inside, codes - units, np.clip(codes, lowest, highest))).sum()
    np.testing.assert_allclose(ds, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("cls", "bits", "lowest", "highest"), CASES)
def test_step_gradient_against_finite_differences(cls: Any, bits: int, lowest: int, highest: int) -> None:
    """d/ds of s · (clip(x / s) + r) with r = round(clip(x / s)) - clip(x / s) held: what straight-through means."""
    x = np.random.default_rng(SEED).normal(size=(50, 7))
    upstream = np.random.default_rng(SEED + 1).normal(size=x.shape)
    s = 0.37
    offset = np.round(np.clip(x / s, lowest, highest)) - np.clip(x / s, lowest, highest)

    def loss(step: float) -> float:
        return float((upstream * step * (np.clip(x / step, lowest, highest) + offset)).sum())

    count = x.size if cls is quantizers.LSQWeights else x[0].size
    wanted = (loss(s + 1e-6) - loss(s - 1e-6)) / 2e-6 / np.sqrt(count * highest)
    quantizer = learned(cls, bits, x, s)
    found = gradients(quantizer, x.astype(np.float32), upstream.astype(np.float32))[1]
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4, err_msg=f"seed {SEED}")


def test_step_begins_as_in_the_paper() -> None:
    x, _ = data((9, 9), SEED)
    quantizer = built(quantizers.LSQWeights(3), x)
    quantizer(x, training=False)
    assert quantizer.step.numpy() == 1.0
    quantizer(x, training=True)
    np.testing.assert_allclose(quantizer.step, 2 * np.abs(x).mean() / np.sqrt(3), rtol=1e-6)
    quantizer.step.assign(0.25)
    quantizer(x, training=True)
    assert quantizer.step.numpy() == 0.25


def test_bits_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="LSQ takes 2 to 8 bits, got 1; for one bit use a sign: 'ste_sign'"):
        quantizers.LSQWeights(1)
    for bits in (0, 9):
        with pytest.raises(UsageError, match=f"LSQ takes 1 to 8 bits, got {bits}; choose from 1 to 8"):
            quantizers.LSQActivations(bits)
