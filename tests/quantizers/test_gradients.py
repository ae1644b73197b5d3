from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError
from tfkit.quantizers import PSEUDO_GRADIENTS

SEED = 45
FORMULAS = {
    "identity": lambda u: 1 + 0 * u,
    "clipped": lambda u: (np.abs(u) <= 1) * 1.0,
    "tanh": lambda u: 1 / np.cosh(u) ** 2,
    "approx_sign": lambda u: np.where(np.abs(u) <= 1, 2 - 2 * np.abs(u), 0),
    "swish_sign": lambda u: 5 * (2 - 5 * u * np.tanh(2.5 * u)) / (1 + np.cosh(5 * u)),
}


@pytest.mark.parametrize("name", PSEUDO_GRADIENTS)
def test_any_quantizer_takes_it(name: str) -> None:
    x, upstream = data((9, 9), SEED)
    u = 2.0 * x - 1.0
    quantizer = quantizers.DoReFaActivations(2, pseudo_gradient=name)
    (dx,) = gradients(quantizer, x, upstream)
    np.testing.assert_allclose(dx, upstream * FORMULAS[name](u), rtol=1e-3, atol=1e-5, err_msg=f"seed {SEED}")
    assert type(quantizer).from_config(quantizer.get_config()).pseudo_gradient == name


def test_none_overflows_far_out() -> None:
    for function in PSEUDO_GRADIENTS.values():
        assert np.isfinite(function(np.array([-1e30, 1e30], np.float32))).all()


def test_unknown_names_get_near_matches() -> None:
    with pytest.raises(UsageError, match="unknown pseudo-gradient 'cliped'; did you mean 'clipped'"):
        quantizers.LSQWeights(2, pseudo_gradient="cliped")
