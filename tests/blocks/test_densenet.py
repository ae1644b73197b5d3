"""DenseNet's blocks against their formulas."""

from __future__ import annotations

import numpy as np

from helpers.reference import Weights, average_pool, block_model, check_block
from tfkit import blocks

SEED = 42
SHAPE = (6, 8, 10)


def test_a_layer_appends_its_growth() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        y = weights.norm_relu_conv(x, "b_bottleneck")
        return np.concatenate([x, weights.norm_relu_conv(y, "b_conv")], -1)

    model = block_model(lambda x: blocks.densenet_layer(x, 3, name="b"), SHAPE, SEED)
    assert model.output_shape == (None, 6, 8, 13)
    assert model.get_layer("b_bottleneck").filters == 4 * 3
    check_block(model, formula, SEED)


def test_a_transition_halves() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        return average_pool(weights.norm_relu_conv(x, "b"), 2, 2)

    model = block_model(lambda x: blocks.densenet_transition(x, name="b"), SHAPE, SEED)
    assert model.output_shape == (None, 3, 4, 5)
    check_block(model, formula, SEED)


def test_compression_rounds_down() -> None:
    """Section 3: "floor of theta m" feature maps."""
    for channels, theta, expected in ((9, 0.5, 4), (10, 0.25, 2), (10, 1.0, 10)):
        model = block_model(lambda x, t=theta: blocks.densenet_transition(x, t, name="b"), (4, 4, channels), SEED)
        assert model.output_shape[-1] == expected


def test_dropout_is_of_the_new_channels() -> None:
    model = block_model(lambda x: blocks.densenet_layer(x, 3, dropout=0.5, name="b"), SHAPE, SEED)
    x = np.random.default_rng(SEED).normal(size=(2, *SHAPE)).astype(np.float32)
    y = model(x, training=True).numpy()
    np.testing.assert_array_equal(y[..., :10], x, err_msg=f"seed {SEED}")
    assert (y[..., 10:] == 0).any()
