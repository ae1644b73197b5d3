from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.keras import keras, shake_normalizations, sign, values_with_edges
from tfkit import blocks

SEED = 23
layers = keras.layers


def network(block: Any, channels: int = 32) -> Any:
    keras.utils.set_random_seed(SEED)
    inputs = layers.Input((8, 8, channels))
    return shake_normalizations(keras.Model(inputs, block(inputs)), SEED)


def normalized(x: np.ndarray, layer: Any) -> np.ndarray:
    gamma, beta, mean, variance = layer.get_weights()
    return (x - mean) / np.sqrt(variance + layer.epsilon) * gamma + beta


def binary_conv(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """3x3, stride 1, one-padding; by its definition."""
    padded = np.pad(sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1.0)
    height, width = x.shape[1:3]
    return sum(padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3))


def test_quicknet_block_is_its_formula() -> None:
    model = network(lambda x: blocks.quicknet_block(x, name="b"))
    x = values_with_edges((2, 8, 8, 32), SEED)
    kernel = sign(model.get_layer("b").get_weights()[0])
    expected = x + normalized(np.maximum(binary_conv(x, kernel), 0), model.get_layer("b_bn"))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-4, err_msg=f"seed {SEED}")


def test_bireal_block_is_its_formula() -> None:
    """The kernel is scaled by its mean magnitude per filter (Bi-Real Net, section 3.3, equation 7)."""
    model = network(lambda x: blocks.bireal_block(x, 32, name="b"))
    x = values_with_edges((2, 8, 8, 32), SEED)
    latent = model.get_layer("b").get_weights()[0]
    kernel = sign(latent) * np.abs(latent).mean(axis=(0, 1, 2))
    expected = x + normalized(binary_conv(x, kernel), model.get_layer("b_bn"))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-4, err_msg=f"seed {SEED}")


@pytest.mark.parametrize(
    ("block", "shape"),
    [
        (lambda x: blocks.conv_bn(x, 5, strides=2, relu=6.0, name="b"), (4, 4, 5)),
        (lambda x: blocks.float_residual(x, name="b"), (8, 8, 32)),
        (lambda x: blocks.depthwise_separable(x, 16, 2, name="b"), (4, 4, 16)),
        (lambda x: blocks.inverted_residual(x, 16, 2, name="b"), (4, 4, 16)),
        (lambda x: blocks.inverted_residual(x, 32, name="b"), (8, 8, 32)),
        (lambda x: blocks.inverted_residual(x, 32, expansion=1, name="b"), (8, 8, 32)),
        (lambda x: blocks.bireal_block(x, 64, 2, name="b"), (4, 4, 64)),
        (lambda x: blocks.quicknet_transition(x, 64, name="b"), (4, 4, 64)),
    ],
)
def test_shapes(block: Any, shape: tuple[int, ...]) -> None:
    assert network(block).output_shape == (None, *shape)


def test_inverted_residual_has_a_shortcut_only_where_shapes_agree() -> None:
    for filters, strides, shortcut in ((32, 1, True), (32, 2, False), (16, 1, False)):
        model = network(lambda x, f=filters, s=strides: blocks.inverted_residual(x, f, s, name="b"))
        assert any(isinstance(layer, layers.Add) for layer in model.layers) == shortcut
        # A linear bottleneck: the projection is not followed by an activation.
        assert not any(layer.name == "b_project_relu" for layer in model.layers)


def test_blur_keeps_the_mean_and_does_not_train() -> None:
    model = network(lambda x: blocks.quicknet_transition(x, 64, name="b"))
    layer = model.get_layer("b_blur")
    (kernel,) = layer.get_weights()
    np.testing.assert_allclose(kernel[:, :, 0, 0] * 16, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    np.testing.assert_allclose(kernel.sum(axis=(0, 1)), 1.0)
    assert not layer.trainable_weights
    with pytest.raises(ValueError, match="for 3x3 kernels, not 5x5"):
        blocks.BlurKernel()((5, 5, 1, 1))


@pytest.mark.parametrize(
    ("channels", "expected"), [(0.1, 8), (8, 8), (11.9, 16), (12, 16), (35.2, 32), (36, 40), (1280, 1280)]
)
def test_make_divisible(channels: float, expected: int) -> None:
    rounded = blocks.make_divisible(channels)
    assert rounded == expected
    assert rounded >= 0.9 * channels
