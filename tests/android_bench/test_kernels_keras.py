"""Models that LCE's converter wrote, in a stock runtime with the delegate, against Keras itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from helpers.lce_runtimes import DelegatedInterpreter, assert_same_bits, lce_reference
from tfkit._keras import legacy_keras

SEED = 97


def convert(layers: Callable[[Any], Any], shape: tuple[int, ...]) -> tuple[Any, bytes]:
    """A Keras model of these layers, with seeded weights and moving averages, and LCE's flatbuffer of it."""
    import larq_compute_engine as lce

    keras = legacy_keras()
    keras.utils.set_random_seed(SEED)
    source = keras.Input(shape)
    model = keras.Model(source, layers(source))
    random = np.random.default_rng(SEED)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (weight.shape for weight in layer.get_weights())
            layer.set_weights(
                [
                    random.uniform(-1.5, 1.5, gamma),
                    random.uniform(-1, 1, beta),
                    random.uniform(-5, 5, mean),
                    random.uniform(20, 200, variance),
                ]
            )
    return model, lce.convert_keras_model(model)


def binary(filters: int, size: int, **arguments: Any) -> Any:
    """A binary convolution."""
    import larq

    return larq.layers.QuantConv2D(
        filters,
        size,
        **{"padding": "same", "pad_values": 1.0, "use_bias": False, **arguments},
        input_quantizer="ste_sign",
        kernel_quantizer="ste_sign",
    )


@pytest.mark.parametrize("channels", [2, 4, 32])
@pytest.mark.parametrize("size", [2, 3])
def test_ties_under_zero_padding_equal_keras(channels: int, size: int) -> None:
    # Few channels and zeros at the border make sums of exactly 0, whose sign the second convolution takes. LCE's
    # optimized kernels correct the border in float, after the multiplier, and miss it.
    model, flatbuffer = convert(
        lambda x: binary(8, 1)(binary(8, size, pad_values=0.0)(x)),
        (6, 6, channels),
    )
    values = np.random.default_rng(SEED).choice([-1.0, 1.0], (1, 6, 6, channels)).astype(np.float32)
    first = legacy_keras().Model(model.input, model.layers[1].output).predict(values, verbose=0)
    assert (first == 0).sum() > 3, "the test must contain ties"
    (got,) = DelegatedInterpreter(flatbuffer).run([values])
    # Sums of signs: integers far below 2^24, exact on both sides.
    np.testing.assert_array_equal(got, model.predict(values, verbose=0))


ONE_LAYER = {
    "stride": {"strides": 2},
    "dilation": {"dilation_rate": 2},
    "groups": {"groups": 2},
    "valid": {"padding": "valid"},
    "zero padding": {"pad_values": 0.0},
}


@pytest.mark.parametrize("name", ONE_LAYER)
def test_single_layer_equals_keras(name: str) -> None:
    model, flatbuffer = convert(lambda x: binary(10, 3, **ONE_LAYER[name])(x), (8, 9, 64))
    values = np.random.default_rng(SEED).standard_normal((1, 8, 9, 64)).astype(np.float32)
    interpreter = DelegatedInterpreter(flatbuffer)
    assert set(interpreter.kernels()) == {"LceQuantize", "LceBconv2d"}
    (got,) = interpreter.run([values])
    np.testing.assert_array_equal(got, model.predict(values, verbose=0))


def network(x: Any) -> Any:
    """A float stem, a residual binary block, a bitpacked chain with pooling, and a float head."""
    layers = legacy_keras().layers
    x = layers.Conv2D(32, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    y = layers.BatchNormalization()(binary(32, 3)(x))
    x = layers.Add()([x, y])
    y = layers.BatchNormalization()(binary(48, 3, strides=2)(x))
    y = layers.MaxPool2D(2)(layers.BatchNormalization()(binary(64, 3)(y)))
    y = layers.BatchNormalization()(binary(20, 1)(y))
    return layers.Dense(10)(layers.GlobalAveragePooling2D()(y))


def test_network_equals_keras_and_lce() -> None:
    model, flatbuffer = convert(network, (16, 16, 3))
    values = np.random.default_rng(SEED).standard_normal((4, 16, 16, 3)).astype(np.float32)
    expected = model.predict(values, verbose=0)
    interpreter = DelegatedInterpreter(flatbuffer)
    assert {"LceQuantize", "LceBconv2d", "LceBMaxPool2d"} <= set(interpreter.kernels())
    got = np.concatenate([interpreter.run([values[i : i + 1]])[0] for i in range(len(values))])
    (lce,) = lce_reference(flatbuffer, [values])
    # The binary part is exact; the float layers around it sum in another order: 27 products in the stem, 20 in the
    # head, a few dozen roundings of 2^-24 each, relative to the largest output.
    bound = 100 * 2.0**-24 * np.abs(expected).max()
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound)
    np.testing.assert_allclose(got, lce, rtol=0, atol=bound)

    interpreter.resize((4, 16, 16, 3))
    (batch,) = interpreter.run([values])
    assert_same_bits(got, batch, "batch of 4 against single runs")
