"""The fire module against its formula."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.keras import keras
from helpers.reference import Weights, block_model, check_block, conv, relu
from tfkit import blocks

SEED = 62


@pytest.mark.parametrize("bypass", [False, True])
def test_fire_is_its_formula(bypass: bool) -> None:
    def conv_relu(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
        return relu(conv(x, weights.kernel(name)) + weights.bias(name))

    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        squeezed = conv_relu(x, weights, "f_squeeze")
        halves = [conv_relu(squeezed, weights, f"f_expand{size}") for size in ("1x1", "3x3")]
        y = np.concatenate(halves, -1)
        return x + y if bypass else y

    model = block_model(lambda x: blocks.fire(x, 3, 5, bypass=bypass, name="f"), (6, 7, 10), SEED)
    assert model.output_shape == (None, 6, 7, 10)
    assert model.get_layer("f_squeeze").filters == 3
    check_block(model, formula, SEED)


def test_a_bypass_keeps_the_channels() -> None:
    with pytest.raises(ValueError, match="a bypass keeps the channels; got 8 and 2 \\* expand = 10"):
        blocks.fire(keras.layers.Input((4, 4, 8)), 3, 5, bypass=True, name="f")
