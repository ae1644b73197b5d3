from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

from helpers.keras import keras, run_layer_test, sign, values_with_edges
from tfkit.layers import NotBinaryWarning, QuantDense

SEED = 11
BINARY = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def binary_dense(units: int = 4, **arguments: object) -> QuantDense:
    return QuantDense(units, **BINARY, **arguments)


def test_signature_is_that_of_keras_and_quantizer_arguments() -> None:
    ours = dict(inspect.signature(QuantDense.__init__).parameters)
    theirs = inspect.signature(keras.layers.Dense.__init__).parameters
    for name in ("input_quantizer", "kernel_quantizer"):
        assert ours.pop(name).default is None
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


@pytest.mark.parametrize("shape", [(3, 40), (2, 5, 9)])
def test_is_the_matrix_product_of_signs(shape: tuple[int, ...]) -> None:
    x = values_with_edges(shape, SEED)
    layer = binary_dense(use_bias=False)
    layer.build(x.shape)
    kernel = values_with_edges(tuple(layer.kernel.shape), SEED + 1)
    layer.kernel.assign(kernel)
    np.testing.assert_array_equal(layer(x).numpy(), sign(x) @ sign(kernel), err_msg=f"seed {SEED}")


def test_gradients_against_formula() -> None:
    """STE with clipping at 1: dL/dx = (g sign(W)ᵀ) · 1[|x| <= 1], dL/dW = (sign(x)ᵀ g) · 1[|W| <= 1]."""
    import tensorflow as tf

    x = values_with_edges((3, 12), SEED)
    layer = binary_dense(2, use_bias=False)
    layer.build(x.shape)
    kernel = values_with_edges((12, 2), SEED + 1)
    layer.kernel.assign(kernel)
    upstream = np.random.default_rng(SEED).normal(size=(3, 2)).astype(np.float32)
    with tf.GradientTape() as tape:
        variable = tf.Variable(x)
        loss = tf.reduce_sum(layer(variable) * upstream)
    dx, dk = tape.gradient(loss, [variable, layer.kernel])
    np.testing.assert_allclose(dx, upstream @ sign(kernel).T * (np.abs(x) <= 1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(dk, sign(x).T @ upstream * (np.abs(kernel) <= 1), rtol=1e-5, atol=1e-6)


def test_without_quantizers_it_is_dense() -> None:
    run_layer_test(lambda: QuantDense(3), (7,), SEED)


def test_binary_layer() -> None:
    run_layer_test(lambda: QuantDense(3, **BINARY), (40,), SEED)


def test_no_warning_when_all_is_well() -> None:
    """Conversion makes a 1x1 convolution of it, which has a binary kernel."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        QuantDense(4, **BINARY)
        QuantDense(4)


def test_weights_only_warns() -> None:
    with pytest.warns(NotBinaryWarning, match="weights-only layer") as caught:
        QuantDense(4, kernel_quantizer="ste_sign")
    assert [warning.filename for warning in caught] == [__file__]
