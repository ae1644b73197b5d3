"""Inception modules against their formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from helpers.keras import keras
from helpers.reference import Weights, average_pool, block_model, check_block, max_pool
from tfkit import blocks
from tfkit.counting import count

SEED = 43
SHAPE = (7, 6, 5)


def chain(x: np.ndarray, weights: Weights, *names: str) -> np.ndarray:
    for name in names:
        x = weights.conv_norm_relu(x, name)
    return x


def test_inception_module() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        return np.concatenate(
            [
                chain(x, weights, "b_1x1"),
                chain(x, weights, "b_3x3_reduce", "b_3x3"),
                chain(x, weights, "b_5x5_reduce", "b_5x5"),
                chain(max_pool(x, 3, 1), weights, "b_pool_project"),
            ],
            -1,
        )

    model = block_model(lambda x: blocks.inception_module(x, 2, 3, 4, 5, 6, 7, name="b"), SHAPE, SEED)
    assert model.output_shape == (None, 7, 6, 2 + 4 + 6 + 7)
    kernels = {layer.name: layer.kernel.shape for layer in model.layers if isinstance(layer, keras.layers.Conv2D)}
    assert kernels == {
        "b_1x1": (1, 1, 5, 2),
        "b_3x3_reduce": (1, 1, 5, 3),
        "b_3x3": (3, 3, 3, 4),
        "b_5x5_reduce": (1, 1, 5, 5),
        "b_5x5": (5, 5, 5, 6),
        "b_pool_project": (1, 1, 5, 7),
    }
    check_block(model, formula, SEED)


def test_inception_double() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        return np.concatenate(
            [
                chain(x, weights, "b_1x1"),
                chain(x, weights, "b_3x3_reduce", "b_3x3"),
                chain(x, weights, "b_5x5_reduce", "b_5x5_a", "b_5x5_b"),
                chain(average_pool(x, 3, 1), weights, "b_pool_project"),
            ],
            -1,
        )

    model = block_model(lambda x: blocks.inception_double(x, 2, 3, 4, 5, 6, 7, name="b"), SHAPE, SEED)
    assert model.output_shape == (None, 7, 6, 2 + 4 + 6 + 7)
    check_block(model, formula, SEED)


def test_inception_factorized() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        twice = ("b_twice_reduce", "b_twice_a_5x1", "b_twice_a_1x5", "b_twice_b_5x1", "b_twice_b_1x5")
        return np.concatenate(
            [
                chain(x, weights, "b_1x1"),
                chain(x, weights, "b_once_reduce", "b_once_1x5", "b_once_5x1"),
                chain(x, weights, *twice),
                chain(average_pool(x, 3, 1), weights, "b_pool_project"),
            ],
            -1,
        )

    model = block_model(lambda x: blocks.inception_factorized(x, 4, 3, 5, name="b"), SHAPE, SEED)
    assert model.output_shape == (None, 7, 6, 16)
    check_block(model, formula, SEED)


def test_inception_expanded() -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        three = chain(x, weights, "b_3x3_reduce")
        five = chain(x, weights, "b_5x5_reduce", "b_5x5")
        return np.concatenate(
            [
                chain(x, weights, "b_1x1"),
                chain(three, weights, "b_3x3_1x3"),
                chain(three, weights, "b_3x3_3x1"),
                chain(five, weights, "b_5x5_1x3"),
                chain(five, weights, "b_5x5_3x1"),
                chain(average_pool(x, 3, 1), weights, "b_pool_project"),
            ],
            -1,
        )

    model = block_model(lambda x: blocks.inception_expanded(x, 2, 3, 4, 5, 6, name="b"), SHAPE, SEED)
    assert model.output_shape == (None, 7, 6, 2 + 4 * 5 + 6)
    check_block(model, formula, SEED)


@pytest.mark.parametrize(
    ("cheaper", "size", "share"),
    [
        # "Rethinking the Inception architecture", section 3.1: (9 + 9) / 25; section 3.2: 2n / n² (33 % less at n = 3)
        (lambda x: blocks.double_conv(x, 8, 8, name="b"), 5, 18 / 25),
        (lambda x: blocks.factorized_conv(x, 8, 8, 3, name="b"), 3, 2 / 3),
        (lambda x: blocks.factorized_conv(x, 8, 8, 7, name="b"), 7, 2 / 7),
    ],
)
def test_factorising_saves_what_the_paper_says(cheaper: Callable, size: int, share: float) -> None:
    shape = (9, 9, 8)
    whole = block_model(lambda x: blocks.conv_bn(x, 8, size, name="b"), shape, SEED)
    assert count(block_model(cheaper, shape, SEED)).macs == pytest.approx(share * count(whole).macs)


@pytest.mark.parametrize(
    ("block", "reach"),
    [
        (lambda x: blocks.double_conv(x, 4, 4, name="b"), 2),
        (lambda x: blocks.factorized_conv(x, 4, 4, 7, name="b"), 3),
    ],
)
def test_factorised_convolutions_see_what_the_whole_one_sees(block: Callable, reach: int) -> None:
    """A change of one pixel shows in all pixels up to ``reach`` away, and in no other."""
    keras.utils.set_random_seed(SEED)
    inputs = keras.layers.Input((13, 13, 2))
    model = keras.Model(inputs, block(inputs))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.set_weights([np.abs(layer.get_weights()[0]) + 0.1])  # no ReLU hides a change
    x = np.ones((2, 13, 13, 2), np.float32)
    x[1, 6, 6] += 1
    first, second = model.predict(x, verbose=0)
    changed = np.any(np.abs(second - first) > 1e-6, axis=-1)
    expected = np.zeros((13, 13), bool)
    expected[6 - reach : 7 + reach, 6 - reach : 7 + reach] = True
    np.testing.assert_array_equal(changed, expected, err_msg=f"seed {SEED}")
