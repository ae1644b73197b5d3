"""The blocks of XNOR-Net, BinaryResNetE and BinaryDenseNet against their formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from helpers.keras import keras, sign, values_with_edges
from helpers.reference import Weights, average_pool, block_model, check_block, conv, max_pool, relu
from tfkit import blocks

SEED = 65
SHAPE = (6, 8, 32)


def binary(x: np.ndarray, kernel: np.ndarray, strides: int = 1) -> np.ndarray:
    return conv(sign(x), sign(kernel), strides, pad_value=1.0)


@pytest.mark.parametrize("pool", [False, True])
def test_xnor_block(pool: bool) -> None:
    """Equation 6: alpha is the mean magnitude of a filter's weights."""

    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        kernel = weights.kernel("b")
        alpha = np.abs(kernel).mean(axis=(0, 1, 2))
        y = alpha * binary(weights.norm(x, "b_bn"), kernel)
        return max_pool(y, 3, 2, "valid") if pool else y

    model = block_model(lambda x: blocks.xnor_block(x, 64, pool=pool, name="b"), SHAPE, SEED)
    check_block(model, formula, SEED)


def test_xnor_block_over_the_whole_map_is_fully_connected() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        kernel = weights.kernel("b").reshape(-1, 64)
        y = sign(weights.norm(x, "b_bn")).reshape(len(x), -1) @ sign(kernel) * np.abs(kernel).mean(axis=0)
        return y.reshape(-1, 1, 1, 64)

    model = block_model(lambda x: blocks.xnor_block(x, 64, (6, 8), padding="valid", name="b"), SHAPE, SEED)
    check_block(model, formula, SEED)


def test_alpha_is_the_best_scale() -> None:
    """Section 3.1: no other factor on sign(W) comes closer to W, filter by filter."""
    model = block_model(lambda x: blocks.xnor_block(x, 8, name="b"), SHAPE, SEED)
    (kernel,) = model.get_layer("b").get_weights()
    latent, scaled = (
        values.reshape(-1, 8) for values in (kernel, model.get_layer("b").kernel_quantizer(kernel).numpy())
    )
    best = ((latent - scaled) ** 2).sum(axis=0)
    for factor in (0.99, 1.01):
        assert (((latent - factor * scaled) ** 2).sum(axis=0) > best).all()


@pytest.mark.parametrize(("strides", "filters"), [(1, 32), (2, 64), (1, 64)])
def test_binary_resnet_e_block(strides: int, filters: int) -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        y = weights.norm(binary(x, weights.kernel("b"), strides), "b_bn")
        shortcut = average_pool(x, 2, 2) if strides == 2 else x
        return y + (shortcut if filters == 32 else weights.conv_norm(shortcut, "b_shortcut"))

    model = block_model(lambda x: blocks.binary_resnet_e_block(x, filters, strides, name="b"), SHAPE, SEED)
    check_block(model, formula, SEED)


def test_binary_dense_layer() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        return np.concatenate([x, binary(weights.norm(x, "b_bn"), weights.kernel("b"))], -1)

    model = block_model(lambda x: blocks.binary_dense_layer(x, 64, name="b"), SHAPE, SEED)
    assert model.output_shape == (None, 6, 8, 96)
    check_block(model, formula, SEED)


def test_binary_dense_transition() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        return conv(relu(max_pool(weights.norm(x, "b_bn"), 2, 2, "valid")), weights.kernel("b"))

    model = block_model(lambda x: blocks.binary_dense_transition(x, 16, name="b"), SHAPE, SEED)
    assert model.output_shape == (None, 3, 4, 16)
    check_block(model, formula, SEED)


@pytest.mark.parametrize(
    ("block", "clip"),
    [
        (lambda x: blocks.xnor_block(x, 32, name="b"), 1.0),
        (lambda x: blocks.binary_resnet_e_block(x, 32, name="b"), 1.25),
        (lambda x: blocks.binary_dense_layer(x, 32, name="b"), 1.3),
    ],
    ids=["xnor", "resnet_e", "densenet"],
)
def test_latent_weights_and_gradients_stop_at_the_published_clip(block: Callable[[Any], Any], clip: float) -> None:
    import tensorflow as tf

    layer = block_model(block, SHAPE, SEED).get_layer("b")
    values = np.float32([-2, -clip - 1e-3, -clip + 1e-3, 0.0, clip - 1e-3, clip + 1e-3, 2])
    np.testing.assert_allclose(layer.kernel_constraint(tf.constant(values)), np.clip(values, -clip, clip))
    x = tf.Variable(values)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(layer.input_quantizer(x))
    np.testing.assert_array_equal(tape.gradient(y, x), (np.abs(values) <= clip).astype(np.float32))


def test_stride_2_takes_odd_maps() -> None:
    model = block_model(lambda x: blocks.binary_resnet_e_block(x, 64, 2, name="b"), (7, 5, 32), SEED)
    assert model.output_shape == (None, 4, 3, 64)
    assert np.isfinite(model(values_with_edges((1, 7, 5, 32), SEED)).numpy()).all()
    assert isinstance(model.get_layer("b_shortcut_pool"), keras.layers.AveragePooling2D)
