"""Lowering keeps the function: the layers that stand for a graph compute, in float, what it computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers.keras import keras, shake_normalizations
from tfkit.quantization.calls import Call
from tfkit.quantization.flatten import build, copy_of, read
from tfkit.quantization.operators import lower
from tfkit.quantization.patterns import simplify

SEED = 2
SHAPE = (9, 8, 6)
layers = keras.layers
Block = Callable[[Any], Any]


def lowered(model: Any) -> Any:
    """The float model that quantize_aware would wrap; ranges that are known cut off, as int8 does."""
    graph, rewriter = lower(read(model))
    graph = simplify(graph, rewriter)
    assert not rewriter.offenders

    def call(made: Call, tensors: list[Any]) -> Any:
        layer = copy_of(made)
        result = layer(tensors[0] if len(tensors) == 1 else tensors)
        if made.values():
            layer.set_weights(made.values())
        return result if made.limits is None else tf.clip_by_value(result, *made.limits)

    return build(graph, call)


def convolved(x: Any) -> Any:
    return layers.Conv2D(6, 1)(x)


BLOCKS: dict[str, Block] = {
    "average of three": lambda x: layers.Average()([x, convolved(x), 2 * x]),
    "crop": lambda x: layers.CenterCrop(4, 5)(x),
    "dilated separable": lambda x: layers.SeparableConv2D(4, 3, dilation_rate=2, depth_multiplier=2)(x),
    "strided separable": lambda x: layers.SeparableConv2D(4, 3, strides=2, padding="same", activation="relu")(x),
    "rows": lambda x: layers.Conv1D(4, 3, dilation_rate=2, groups=2)(layers.Reshape((72, 6))(x)),
    "unequal split": lambda x: tf.concat(tf.split(x, [1, 2, -1], -1)[::-1], -1),
    "equal split": lambda x: tf.concat(tf.split(x, 3, axis=1)[::-1], 1),
    "indices": lambda x: tf.stack([x[:, -1, :, 0], x[:, 0, :, -1], x[:, -2, ..., 2]], -1),
    "unstack": lambda x: tf.stack(tf.unstack(x, axis=3)[::-2], 3),
    "strides": lambda x: x[:, 1::3, -4:-1, None, ::-1],
    "constants": lambda x: 3 - (1 - 2 * x) / np.linspace(1, 2, 6) - (x - 0.5),
    "normalization": lambda x: layers.Normalization(mean=np.arange(6.0), variance=np.linspace(0.2, 2, 6))(x),
    "normalization back": lambda x: layers.Normalization(mean=[1.0] * 6, variance=[4.0] * 6, invert=True)(x),
    "scaled saturation": lambda x: 0.5 * layers.ReLU(6.0)(2 * x + 3),
    "negative saturation": lambda x: -0.5 * layers.ReLU(6.0)(2 * x + 3),
    "shifted saturation": lambda x: 0.5 * layers.ReLU(6.0)(2 * x + 3) - 1,
    "gate of another tensor": lambda x: convolved(x) * (tf.nn.relu6(x + 3) / 6),
    "hard-swish of three": lambda x: x * tf.nn.relu6(x + 3) / 3,
    "read twice": lambda x: layers.Add()([y := convolved(x), layers.BatchNormalization()(y)]),
    "pooling read twice": lambda x: layers.Add()([y := layers.MaxPooling2D()(convolved(x)), layers.ReLU()(y)]),
    "pooled map read twice": lambda x: layers.Add()(
        [y := convolved(x), layers.ReLU()(layers.MaxPooling2D(3, 1, padding="same")(y))]
    ),
    "dense with its own activation": lambda x: layers.Dense(5, activation="leaky_relu")(layers.Flatten()(x)),
    "normalized rows": lambda x: layers.ReLU()(layers.BatchNormalization()(layers.Dense(5)(layers.Flatten()(x)))),
    "mean and maximum": lambda x: tf.reduce_mean(x, [1, 2]) - tf.reduce_max(x, [2, 1]),
    "mean of rows": lambda x: tf.reduce_mean(tf.reshape(x, (-1, 72, 6)), 1, keepdims=True),
    "pads": lambda x: tf.pad(tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]]), [[0, 0], [0, 0], [0, 0], [2, 1]]),
    "transposed": lambda x: tf.transpose(x, [0, 3, 1, 2]),
    "depth to space": lambda x: tf.nn.depth_to_space(layers.Conv2D(8, 1)(x), 2),
    "resized": lambda x: layers.Resizing(5, 11)(layers.UpSampling2D((2, 1))(x)),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_the_function_stays(name: str) -> None:
    keras.utils.set_random_seed(SEED)
    inputs = layers.Input(SHAPE)
    model = shake_normalizations(keras.Model(inputs, BLOCKS[name](inputs)), SEED)
    x = np.random.default_rng(SEED).normal(0, 2, (3, *SHAPE)).astype(np.float32)
    wanted = np.asarray(model(x))
    # Float32 in another order: some units of 2^-24 of the largest value.
    np.testing.assert_allclose(np.asarray(lowered(model)(x)), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
