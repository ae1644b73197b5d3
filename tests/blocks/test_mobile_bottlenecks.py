"""The inverted residuals of MobileNetV3 and EfficientNet against their formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from helpers.keras import keras
from helpers.reference import Weights, block_model, check_block, conv, relu
from tfkit import blocks

SEED = 64
layers = keras.layers
Function = Callable[[np.ndarray], np.ndarray]


def relu6(x: np.ndarray) -> np.ndarray:
    return np.clip(x, 0, 6)


def hard_swish(x: np.ndarray) -> np.ndarray:
    return x * relu6(x + 3) / 6


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def swish(x: np.ndarray) -> np.ndarray:
    return x * sigmoid(x)


def excited(x: np.ndarray, weights: Weights, act: Function, gate: Function) -> np.ndarray:
    y = x.mean(axis=(1, 2), keepdims=True)
    y = act(conv(y, weights.kernel("b_se_squeeze")) + weights.bias("b_se_squeeze"))
    return x * gate(conv(y, weights.kernel("b_se_excite")) + weights.bias("b_se_excite"))


@pytest.mark.parametrize(("squeeze", "hard"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(("strides", "expanded", "filters"), [(1, 24, 8), (2, 24, 8), (1, None, 8), (1, 24, 16)])
def test_mobilenet_v3_block(squeeze: bool, hard: bool, strides: int, expanded: int | None, filters: int) -> None:
    act: Function = hard_swish if hard else relu

    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        y = x if expanded is None else act(weights.conv_norm(x, "b_expand"))
        y = act(weights.depthwise_norm(y, "b_depthwise", strides))
        if squeeze:
            y = excited(y, weights, relu, lambda x: relu6(x + 3) / 6)
        y = weights.conv_norm(y, "b_project")
        return x + y if (strides, filters) == (1, 8) else y

    model = block_model(
        lambda x: blocks.mobilenet_v3_block(
            x, filters, strides, expanded, kernel_size=5, squeeze=squeeze, hard=hard, name="b"
        ),
        (6, 5, 8),
        SEED,
    )
    check_block(model, formula, SEED)


@pytest.mark.parametrize("lite", [False, True])
@pytest.mark.parametrize(("strides", "expansion", "filters"), [(1, 6, 8), (2, 6, 8), (1, 1, 8), (1, 6, 16)])
def test_mbconv(lite: bool, strides: int, expansion: int, filters: int) -> None:
    act: Function = relu6 if lite else swish

    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        y = x if expansion == 1 else act(weights.conv_norm(x, "b_expand"))
        y = act(weights.depthwise_norm(y, "b_depthwise", strides))
        if not lite:
            y = excited(y, weights, swish, sigmoid)
        y = weights.conv_norm(y, "b_project")
        return x + y if (strides, filters) == (1, 8) else y

    model = block_model(
        lambda x: blocks.mbconv(x, filters, strides, expansion, kernel_size=5, lite=lite, name="b"), (6, 5, 8), SEED
    )
    assert lite or model.get_layer("b_se_squeeze").filters == 2  # a quarter of the input channels
    check_block(model, formula, SEED)
