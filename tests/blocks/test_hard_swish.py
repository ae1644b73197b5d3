"""Hard-sigmoid, hard-swish and squeeze-and-excite: their formulas, and the ops that they become."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.int8 import ops
from helpers.keras import keras
from helpers.reference import Weights, block_model, check_block, conv, relu
from tfkit import blocks

SEED = 63
# Both kinks of the function, and what lies around them.
POINTS = np.float32([-8, -3, np.nextafter(-3, 0), -1.5, -1e-6, 0.0, 1e-6, 1.5, np.nextafter(3, 0), 3, 8])


def relu6(x: np.ndarray) -> np.ndarray:
    return np.clip(x, 0, 6)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("block", "formula"),
    [
        (blocks.hard_sigmoid, lambda x: relu6(x + 3) / 6),
        (blocks.hard_swish, lambda x: x * relu6(x + 3) / 6),
    ],
)
def test_the_kinks_are_at_3(block: Any, formula: Any) -> None:
    model = block_model(lambda x: block(x, name="h"), (1, 1, len(POINTS)), SEED)
    found = model(POINTS.reshape(1, 1, 1, -1)).numpy().ravel()
    np.testing.assert_allclose(found, formula(POINTS), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("gate", ["sigmoid", "hard_sigmoid"])
@pytest.mark.parametrize("activation", ["relu", "swish"])
def test_squeeze_excite_is_its_formula(gate: str, activation: str) -> None:
    def formula(x: np.ndarray, weights: Weights) -> np.ndarray:
        mean = x.mean(axis=(1, 2), keepdims=True)
        y = conv(mean, weights.kernel("s_squeeze")) + weights.bias("s_squeeze")
        y = relu(y) if activation == "relu" else y * sigmoid(y)
        y = conv(y, weights.kernel("s_excite")) + weights.bias("s_excite")
        return x * (sigmoid(y) if gate == "sigmoid" else relu6(y + 3) / 6)

    model = block_model(
        lambda x: blocks.squeeze_excite(x, 3, activation=activation, gate=gate, name="s"), (5, 4, 12), SEED
    )
    check_block(model, formula, SEED)


def test_squeeze_excite_knows_two_gates() -> None:
    with pytest.raises(ValueError, match='gate is "sigmoid" or "hard_sigmoid", not \'tanh\''):
        blocks.squeeze_excite(keras.layers.Input((4, 4, 8)), 2, gate="tanh", name="s")


@pytest.mark.parametrize("int8", [False, True])
def test_hard_swish_is_one_op(int8: bool) -> None:
    import tensorflow as tf

    def block(x: Any) -> Any:
        x = keras.layers.Conv2D(8, 1)(x)
        return keras.layers.Conv2D(4, 1)(blocks.hard_swish(x, name="h"))

    model = block_model(block, (4, 4, 8), SEED)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if int8:
        samples = np.random.default_rng(SEED).normal(0, 3, (4, 1, 4, 4, 8)).astype(np.float32)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.inference_input_type = converter.inference_output_type = tf.int8
    kind = "int8" if int8 else "float32"
    assert ops(converter.convert()) == [f"conv_2d:{kind}", f"hard_swish:{kind}", f"conv_2d:{kind}"]
