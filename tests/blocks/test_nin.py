"""NIN's mlpconv layers, float and binary, against their formulas."""

from __future__ import annotations

import numpy as np

from helpers.keras import sign
from helpers.reference import Weights, block_model, check_block, conv, relu
from tfkit import blocks

SEED = 44


def test_mlpconv() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        for name in ("b_conv", "b_mlp1", "b_mlp2"):
            x = relu(conv(x, weights.kernel(name)) + weights.bias(name))
        return x

    model = block_model(lambda x: blocks.mlpconv(x, (5, 4, 3), 5, name="b"), (7, 6, 2), SEED)
    assert model.output_shape == (None, 7, 6, 3)
    check_block(model, formula, SEED)


def test_mlpconv_is_a_dense_network_at_every_pixel() -> None:
    """Section 3.1: the 1x1 convolutions are one multilayer perceptron that slides over the maps."""
    model = block_model(lambda x: blocks.mlpconv(x, (5, 4, 3), 1, name="b"), (3, 4, 2), SEED)
    weights = Weights(model)
    x = np.random.default_rng(SEED).normal(size=(1, 3, 4, 2)).astype(np.float32)
    rows = x.reshape(-1, 2)
    for name in ("b_conv", "b_mlp1", "b_mlp2"):
        rows = relu(rows @ weights.kernel(name)[0, 0] + weights.bias(name))
    np.testing.assert_allclose(
        model.predict(x, verbose=0).reshape(-1, 3), rows, rtol=1e-5, atol=1e-5, err_msg=f"seed {SEED}"
    )


def test_binary_mlpconv() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        for name in ("b_conv", "b_mlp1"):
            x = relu(conv(sign(weights.norm(x, f"{name}_bn")), sign(weights.kernel(name)), pad_value=1.0))
        return x

    model = block_model(lambda x: blocks.binary_mlpconv(x, (64, 32), 3, name="b"), (5, 6, 32), SEED)
    assert model.output_shape == (None, 5, 6, 32)
    check_block(model, formula, SEED)
