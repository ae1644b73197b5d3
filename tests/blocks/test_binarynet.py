"""BinaryNet's layers against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.keras import keras, shake_normalizations, sign, values_with_edges
from helpers.reference import Weights, block_model, check_block, conv
from tfkit import blocks

SEED = 45


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_binary_conv_bn(padding: str) -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        kernel = sign(weights.kernel("b"))
        return weights.norm(conv(sign(x), kernel, padding=padding, pad_value=1.0), "b_bn")

    model = block_model(lambda x: blocks.binary_conv_bn(x, 32, padding=padding, name="b"), (6, 5, 32), SEED)
    assert model.output_shape == (None, *((6, 5) if padding == "same" else (4, 3)), 32)
    check_block(model, formula, SEED)


def test_binary_dense_bn() -> None:
    keras.utils.set_random_seed(SEED)
    inputs = keras.layers.Input((40,))
    model = shake_normalizations(keras.Model(inputs, blocks.binary_dense_bn(inputs, 32, name="b")), SEED)
    weights = Weights(model)
    x = values_with_edges((3, 40), SEED)
    expected = weights.norm(sign(x) @ sign(weights.kernel("b")), "b_bn")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-4, err_msg=f"seed {SEED}")


def test_latent_weights_stay_in_the_reach_of_the_gradient() -> None:
    model = block_model(lambda x: blocks.binary_conv_bn(x, 32, name="b"), (4, 4, 32), SEED)
    layer = model.get_layer("b")
    clipped = layer.kernel_constraint(layer.kernel * 100)
    assert np.abs(clipped).max() == 1
