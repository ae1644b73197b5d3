from __future__ import annotations

import numpy as np
import pytest

from helpers.keras import sign
from helpers.quantizers import data, gradients
from tfkit import quantizers

SEED = 32


def test_weights_have_the_best_scale_of_each_channel() -> None:
    w, upstream = data((3, 3, 2, 4), SEED)
    alpha = np.abs(w).reshape(-1, 4).mean(0)
    quantizer = quantizers.XnorWeights()
    np.testing.assert_allclose(quantizer(w), alpha * sign(w), rtol=1e-6)
    (dw,) = gradients(quantizer, w, upstream)
    wanted = upstream * (1 / 18 + alpha * (np.abs(w) <= 1))
    np.testing.assert_allclose(dw, wanted, rtol=1e-5, atol=1e-6, err_msg=f"seed {SEED}")
    np.testing.assert_allclose(quantizer.levels(w).values, np.stack([-alpha, alpha], 1), rtol=1e-6)


def test_no_other_scale_is_closer() -> None:
    w, _ = data((5, 6, 3), SEED)
    error = np.square(w - quantizers.XnorWeights()(w)).sum()
    for factor in (0.98, 1.02):
        assert np.square(w - factor * quantizers.XnorWeights()(w)).sum() > error


def test_activations_have_a_scale_per_place() -> None:
    x, upstream = data((2, 3, 3, 8), SEED)
    scale = np.abs(x).mean(-1, keepdims=True)
    quantizer = quantizers.XnorActivations()
    np.testing.assert_allclose(quantizer(x), scale * sign(x), rtol=1e-6)
    (dx,) = gradients(quantizer, x, upstream)
    np.testing.assert_allclose(dx, upstream * scale * (np.abs(x) <= 1), rtol=1e-5, atol=1e-6)


def test_a_1x1_convolution_is_that_of_the_paper() -> None:
    """x ⊛ W ≈ (sign(x) ⊛ sign(W)) ⊙ A α."""
    from helpers.keras import keras
    from tfkit.layers import NotBinaryWarning, QuantConv2D

    x, _ = data((2, 4, 4, 8), SEED)
    names = {"input_quantizer": "xnor_activations", "kernel_quantizer": "xnor_weights"}
    with pytest.warns(NotBinaryWarning, match=r"XnorActivations does not give -1 and \+1"):
        layer = QuantConv2D(3, 1, use_bias=False, **names)
    model = keras.Sequential([keras.layers.Input((4, 4, 8)), layer])
    w = layer.get_weights()[0]
    signs = np.einsum("nijc,co->nijo", sign(x), sign(w[0, 0]))
    wanted = signs * np.abs(x).mean(-1, keepdims=True) * np.abs(w[0, 0]).mean(0)
    np.testing.assert_allclose(model(x), wanted, rtol=1e-5, atol=1e-5)
