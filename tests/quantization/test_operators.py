"""Every layer and operator that quantize_aware rewrites: float function kept, int8 exact, no float op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers.int8 import ops
from helpers.keras import keras, shake_normalizations
from tfkit._errors import UnsupportedError
from tfkit.converters import convert
from tfkit.quantization import quantize_aware

SEED = 1
layers = keras.layers
Block = Callable[[Any], Any]


def hard_swish(x: Any) -> Any:
    return layers.Multiply()([x, layers.ReLU(6.0)(x + 3.0) * (1 / 6)])


def gates(x: Any) -> Any:
    """Squeeze and excitation with each kind of gate."""
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(x)
    soft = layers.Conv2D(6, 1, activation="sigmoid")(pooled)
    hard = layers.ReLU(6.0)(layers.Conv2D(6, 1)(pooled) + 3.0) * (1 / 6)
    return x * soft + layers.Multiply()([x, hard])


def shuffle(x: Any) -> Any:
    x = tf.reshape(x, (tf.shape(x)[0], 8, 8, 2, 3))
    return tf.reshape(tf.transpose(x, [0, 1, 2, 4, 3]), (-1, 8, 8, 6))


def lone_norms(x: Any) -> Any:
    y = layers.Conv2D(6, 1)(x)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Add()([x, y])))
    x = layers.Add()([x, layers.BatchNormalization()(y)])
    x = layers.BatchNormalization()(layers.Concatenate()([x, layers.MaxPooling2D(3, 1, padding="same")(x)]))
    rows = layers.ReLU()(layers.BatchNormalization()(layers.Dense(8, use_bias=False)(layers.Flatten()(x))))
    return layers.BatchNormalization()(layers.Dense(5, activation="relu")(rows))


def slices(x: Any) -> Any:
    a, b = tf.split(x[:, ::2, 1:-1, :], 2, axis=-1)
    return tf.concat([b, tf.stack([a, b], 3)[:, :, :, 0], a[..., ::-1]], -1)


def two_readers_of_a_pooling(x: Any) -> Any:
    x = layers.MaxPooling2D(2)(layers.ReLU()(x))
    return layers.Concatenate()([layers.AveragePooling2D(3, 2, padding="same")(x), layers.Conv2D(4, 1, 2)(x)])


def relu_behind_a_pooling(x: Any) -> Any:
    return layers.Conv2D(4, 1)(layers.ReLU()(layers.MaxPooling2D(2)(layers.BatchNormalization()(x))))


def transposed(x: Any) -> Any:
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2DTranspose(5, 3, 2, padding="same")(x)))
    return layers.Conv2DTranspose(3, 2, 2, activation="relu")(x)


def separable(x: Any) -> Any:
    x = layers.ReLU()(layers.BatchNormalization()(layers.SeparableConv2D(8, 3, depth_multiplier=2)(x)))
    return layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=2, activation="swish")(x))


def rows(x: Any) -> Any:
    x = layers.Conv1D(6, 3, 2, padding="same", activation="relu")(layers.Reshape((64, 6))(x))
    return tf.reduce_mean(layers.SeparableConv1D(4, 3, padding="same")(x), 1)


def sums(x: Any) -> Any:
    y = layers.Conv2D(6, 1)(x)
    return layers.Average()([layers.Add()([x, y, layers.Dropout(0.1)(x * y)]), layers.Subtract()([y, x]), y])


def numbers(x: Any) -> Any:
    x = layers.Normalization(mean=[0.1] * 6, variance=np.linspace(0.2, 2, 6))(x)
    return 1 - (2 * layers.Rescaling(0.5, 0.1)(x) + np.linspace(-1, 1, 6)) / 3


def clipped(x: Any) -> Any:
    y = layers.ReLU(2.0)(layers.Conv2D(6, 1)(x))
    return layers.Concatenate()([tf.clip_by_value(x, 0.0, 1.0), y, layers.Activation("tanh")(x)])


def padded(x: Any) -> Any:
    x = tf.pad(layers.ZeroPadding2D((1, 2))(x), [[0, 0], [1, 0], [0, 0], [0, 0]])
    return layers.GlobalMaxPooling2D(keepdims=True)(tf.pad(x, [[0, 0], [0, 0], [0, 0], [1, 2]]))


def resized(x: Any) -> Any:
    x = layers.UpSampling2D(2)(tf.image.resize(x, (4, 12), "nearest"))
    return layers.GaussianNoise(0.1)(layers.UpSampling2D((2, 1), interpolation="bilinear")(x))


EXACT: list[Block] = [
    hard_swish, gates, shuffle, lone_norms, slices, two_readers_of_a_pooling, relu_behind_a_pooling, transposed,
    separable, rows, sums, numbers, clipped, padded, resized,
]  # fmt: skip
# Kernels of their own arithmetic: a rounding may differ, within the derived bound, where it does not in the others.
BOUNDED: list[Block] = [
    layers.LeakyReLU(0.2), layers.Resizing(13, 5), layers.Activation("gelu"),
]  # fmt: skip


def network(block: Block) -> Any:
    keras.utils.set_random_seed(SEED)
    i = layers.Input((8, 8, 6))
    return shake_normalizations(keras.Model(i, block(layers.Conv2D(6, 3, padding="same")(i))), SEED)


def samples(count: int = 64) -> np.ndarray:
    return np.random.default_rng(SEED).normal(0, 2, (count, 8, 8, 6)).astype(np.float32)


@pytest.mark.parametrize("block", [*EXACT, *BOUNDED], ids=lambda block: getattr(block, "name", None) or block.__name__)
def test_is_exact_in_int8_without_a_float_op(block: Block) -> None:
    model = network(block)
    aware = quantize_aware(model, samples())
    wanted, got = (m.predict(samples(), verbose=0) for m in (model, aware))
    # The function is the same up to some int8 steps; another function would lie apart by its whole spread.
    assert np.sqrt(np.mean((wanted - got) ** 2)) < 0.1 * wanted.std(), f"seed {SEED}"
    conversion = convert(aware, format="int8", strict=True, io="int8")
    assert conversion.parity is not None
    assert conversion.parity.ok
    assert conversion.parity.outputs[0].difference == 0, f"seed {SEED}"
    assert not [op for op in ops(conversion.flatbuffer) if "int8" not in op]


def test_hard_swish_is_one_op_in_every_spelling() -> None:
    scale = layers.Rescaling
    for spelled in (
        hard_swish,
        lambda x: x * tf.nn.relu6(x + 3) / 6,
        lambda x: (x / 6) * tf.nn.relu6(3 + x),
        lambda x: layers.Multiply()([x, scale(1 / 6)(layers.ReLU(6)(scale(1, offset=3)(x)))]),
        layers.Lambda(lambda x: x * tf.nn.relu6(x + 3) / 6),
    ):
        kinds = [type(getattr(layer, "layer", layer)).__name__ for layer in quantize_aware(network(spelled)).layers]
        assert kinds == ["InputLayer", "QuantizeLayer", "Conv2D", "HardSwish"]


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (lambda x: x / (x * x + 1.0), "divides by a tensor"),
        (lambda x: tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=1.0), "pads with something else"),
        (lambda x: tf.reduce_mean(x, -1), r"takes the mean over axes \[3\] of 4"),
        (lambda x: tf.image.resize(x, (4, 4), "bicubic"), "resizes by 'bicubic'"),
        (lambda x: tf.transpose(x, [1, 0, 2, 3]), "moves the batch"),
        (lambda x: x + np.ones((8, 8, 1), np.float32), "constants of shape"),
        (lambda x: tf.math.erf(x), "computes tf.math.erf, which has no int8 form"),
        (lambda x: x * layers.GlobalAveragePooling2D()(x), "different numbers of axes"),
        (lambda x: tf.maximum(x, layers.GlobalAveragePooling2D()(x)), "different numbers of axes"),
        (lambda x: tf.concat([x, x], 0), "joins batches"),
        (lambda x: tf.stack([x, x]), "joins batches"),
        (lambda x: tf.stack([x, np.ones((1, 8, 8, 6), np.float32)], -1), "joins tensors with constants"),
        (lambda x: tf.reshape(x, (-1, 8, 6)), r"makes other samples, \(8, 6\) of \(8, 8, 6\)"),
        (lambda x: tf.nn.softmax(x, 1), "computes tf.nn.softmax, which has no int8 form"),
        (layers.PReLU(), "use keras.layers.LeakyReLU"),
        (layers.UpSampling2D(2, interpolation="bicubic"), "resizes by 'bicubic'"),
        (lambda x: layers.Conv1D(2, 3, padding="causal")(layers.Reshape((64, 6))(x)), "is causal"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(block: Block, reason: str) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        quantize_aware(network(block))


@pytest.mark.parametrize("layer", [layers.Rescaling(2.0), layers.BatchNormalization()], ids=lambda layer: layer.name)
def test_rows_of_free_length_are_named(layer: Any) -> None:
    with pytest.raises(UnsupportedError, match=r"reads \(None, 6\), of free size; give the network an input of fixed"):
        quantize_aware(keras.Sequential([layers.Input((None, 6)), layer]))
