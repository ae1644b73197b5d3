from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.keras import keras
from helpers.quantizers import built
from tfkit import quantizers
from tfkit.layers import QuantDense
from tfkit.quantizers import Settling
from tfkit.training import RECIPES
from tfkit.training.quantized import quantizer_callbacks

SEED = 53
DRAWING = ["binary_connect_stochastic", "relaxed_w2", "relaxed_a2", "fixed_w3", "fixed_a3"]


@pytest.mark.parametrize("name", DRAWING)
def test_settled_quantizers_train_on_what_inference_has(name: str) -> None:
    x = np.random.default_rng(SEED).normal(size=(60, 8)).astype(np.float32)
    quantizer = built(quantizers.get(name), x)
    quantizer(x, training=True)
    assert np.any(quantizer(x, training=True) != quantizer(x)), f"nothing is drawn, seed {SEED}"
    quantizer.settled.assign(1.0)
    np.testing.assert_array_equal(quantizer(x, training=True), quantizer(x))


def model(kernel: str) -> Any:
    return keras.Sequential([keras.layers.Input((4,)), QuantDense(3, kernel_quantizer=kernel)])


@pytest.mark.filterwarnings("ignore:.*will not run as a binary layer")
def test_the_last_part_of_a_run_is_settled() -> None:
    network = model("binary_connect_stochastic")
    (callback,) = quantizer_callbacks(network, RECIPES["binary"])
    assert isinstance(callback, Settling)
    callback.set_model(network)
    settled = []
    for epoch in range(RECIPES["binary"].epochs):
        callback.on_epoch_begin(epoch)
        settled.append(float(network.layers[0].kernel_quantizer.settled))
    assert settled == [0.0] * 7 + [1.0] * 8
    assert quantizer_callbacks(model("lsq_w2"), RECIPES["few_bit"]) == []
