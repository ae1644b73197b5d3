"""Residual blocks against their formulas, and where they have a shortcut of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.keras import keras
from helpers.reference import Weights, block_model, check_block, conv, relu
from tfkit import blocks

SEED = 41
CHANNELS = 8
SHAPE = (6, 7, CHANNELS)
# filters and strides: the identity, and each reason for a projection alone and together
CASES = pytest.mark.parametrize(("filters", "strides"), [(8, 1), (12, 1), (8, 2), (16, 2)])


def shortcut_after(x: np.ndarray, weights: Weights, filters: int, strides: int) -> np.ndarray:
    """Of the original units: projected and normalized where the shape changes."""
    return x if (filters, strides) == (CHANNELS, 1) else weights.conv_norm(x, "b_shortcut", strides=strides)


def shortcut_before(x: np.ndarray, activated: np.ndarray, weights: Weights, filters: int, strides: int) -> np.ndarray:
    """Of the pre-activated units: the raw input, or a projection of the activated one."""
    if (filters, strides) == (CHANNELS, 1):
        return x
    return conv(activated, weights.kernel("b_shortcut"), strides)


@CASES
def test_basic_block(filters: int, strides: int) -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        y = weights.conv_norm_relu(x, "b_conv1", strides=strides)
        y = weights.conv_norm(y, "b_conv2")
        return relu(shortcut_after(x, weights, filters, strides) + y)

    model = block_model(lambda x: blocks.basic_block(x, filters, strides, name="b"), SHAPE, SEED)
    assert weights_of_convolutions(model) == 9 * 8 * filters + 9 * filters**2 + projection(filters, strides)
    check_block(model, formula, SEED)


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("stride_first", [False, True])
@CASES
def test_bottleneck_block(filters: int, strides: int, stride_first: bool, groups: int) -> None:
    inner = 4 * groups
    first, second = (strides, 1) if stride_first else (1, strides)

    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        y = weights.conv_norm_relu(x, "b_reduce", strides=first)
        y = weights.conv_norm_relu(y, "b_conv", strides=second, groups=groups)
        y = weights.conv_norm(y, "b_expand")
        return relu(shortcut_after(x, weights, filters, strides) + y)

    model = block_model(
        lambda x: blocks.bottleneck_block(
            x, filters, inner, strides, groups=groups, stride_first=stride_first, name="b"
        ),
        SHAPE,
        SEED,
    )
    inside = 8 * inner + 9 * inner**2 // groups + inner * filters
    assert weights_of_convolutions(model) == inside + projection(filters, strides)
    check_block(model, formula, SEED)


def test_a_grouped_bottleneck_is_its_paths_added_up() -> None:
    """ResNeXt, figure 3: (a) aggregated transformations and (c) one grouped convolution are the same."""
    groups, inner = 2, 6

    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        reduced = weights.conv_norm_relu(x, "b_reduce")
        total = np.zeros((*x.shape[:3], CHANNELS))
        for path in range(groups):
            part = slice(path * inner // groups, (path + 1) * inner // groups)
            y = conv(reduced[..., part], weights.kernel("b_conv")[..., part])
            normalized = weights.norm(
                np.concatenate([y if other == path else np.zeros_like(y) for other in range(groups)], -1), "b_conv_bn"
            )
            total = total + conv(relu(normalized)[..., part], weights.kernel("b_expand")[:, :, part])
        return relu(x + weights.norm(total, "b_expand_bn"))

    model = block_model(lambda x: blocks.bottleneck_block(x, CHANNELS, inner, groups=groups, name="b"), SHAPE, SEED)
    check_block(model, formula, SEED)


@CASES
def test_preactivated_basic_block(filters: int, strides: int) -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        activated = relu(weights.norm(x, "b_conv1_bn"))
        y = weights.norm_relu_conv(conv(activated, weights.kernel("b_conv1"), strides), "b_conv2")
        return shortcut_before(x, activated, weights, filters, strides) + y

    model = block_model(lambda x: blocks.preactivated_basic_block(x, filters, strides, name="b"), SHAPE, SEED)
    assert weights_of_convolutions(model) == 9 * 8 * filters + 9 * filters**2 + projection(filters, strides)
    check_block(model, formula, SEED)


@CASES
def test_preactivated_bottleneck_block(filters: int, strides: int) -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        activated = relu(weights.norm(x, "b_reduce_bn"))
        y = conv(activated, weights.kernel("b_reduce"))
        y = weights.norm_relu_conv(y, "b_conv", strides=strides)
        y = weights.norm_relu_conv(y, "b_expand")
        return shortcut_before(x, activated, weights, filters, strides) + y

    model = block_model(lambda x: blocks.preactivated_bottleneck_block(x, filters, 4, strides, name="b"), SHAPE, SEED)
    check_block(model, formula, SEED)


def test_dropout_stands_between_the_convolutions_and_only_trains() -> None:
    model = block_model(lambda x: blocks.preactivated_basic_block(x, 8, dropout=0.5, name="b"), SHAPE, SEED)
    plain = block_model(lambda x: blocks.preactivated_basic_block(x, 8, name="b"), SHAPE, SEED)
    names = [layer.name for layer in model.layers]
    assert names.index("b_conv2_relu") < names.index("b_dropout") < names.index("b_conv2")
    assert not any("dropout" in layer.name for layer in plain.layers)
    x = np.random.default_rng(SEED).normal(size=(2, *SHAPE)).astype(np.float32)
    np.testing.assert_array_equal(model.predict(x, verbose=0), plain.predict(x, verbose=0), err_msg=f"seed {SEED}")
    assert np.any(model(x, training=True) != plain(x, training=True))


def weights_of_convolutions(model: Any) -> int:
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    return sum(int(np.prod(kernel.shape)) for kernel in kernels)


def projection(filters: int, strides: int) -> int:
    return 0 if (filters, strides) == (CHANNELS, 1) else CHANNELS * filters
