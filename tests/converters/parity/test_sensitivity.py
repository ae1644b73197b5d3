"""The sensitivity to roundings covers what rounding to float16 does, follows from it, and leaves the model alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tf_keras

import tfkit
from tfkit import models
from tfkit.converters.parity.bounds import U16
from tfkit.converters.parity.sensitivity import sensitivity
from tfkit.converters.sources import keras_source

SEED = 5


def linear(scale: float) -> Any:
    """y = scale * sum(x), twice."""
    model = tf_keras.Sequential([tf_keras.Input((64,)), tf_keras.layers.Dense(1, use_bias=False, name="sum")])
    model.set_weights([np.full((64, 1), scale, np.float32)])
    return model


def test_of_one_sum_is_that_of_its_weights() -> None:
    # 64 equal terms, each off by +-u: between one and all of them of the same sign
    ones = np.ones((2, 64), np.float32)
    found = sensitivity(keras_source(linear(3.0)), [ones], U16, SEED)
    assert 2 * U16 / 64 <= found <= 2 * U16 * (1 + 1e-3), f"seed {SEED}"
    assert found == pytest.approx(sensitivity(keras_source(linear(96.0)), [ones], U16, SEED), rel=1e-3)


def test_leaves_every_bit_of_the_model() -> None:
    model = models.build("mobilenet_v2", input_shape=(32, 32, 3), classes=10)
    before = [variable.numpy().tobytes() for variable in model.variables]
    sensitivity(keras_source(model), [np.ones((2, 32, 32, 3), np.float32)], U16, SEED)
    assert [variable.numpy().tobytes() for variable in model.variables] == before


def test_restores_the_model_after_a_failure() -> None:
    model = linear(1.0)
    source = keras_source(model)
    calls = []

    def fails_when_changed(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        calls.append(model.get_weights()[0].copy())
        if len(calls) == 2:
            raise RuntimeError("no memory left")
        return source.run(arrays)

    with pytest.raises(RuntimeError, match="no memory left"):
        sensitivity(dataclasses.replace(source, run=fails_when_changed), [np.ones((2, 64), np.float32)], U16, SEED)
    assert (calls[0] != calls[1]).all()
    np.testing.assert_array_equal(model.get_weights()[0], calls[0])


def test_deep_networks_convert_to_float16() -> None:
    """A bound that adds up one rounding a layer rejected correct conversions of them."""
    model = models.build("mobilenet_v1", input_shape=(64, 64, 3), classes=10)
    conversion = tfkit.convert(model, format="float16")
    (output,) = conversion.parity.outputs
    assert 0 < output.difference <= output.bound
    assert output.bound < 0.2


def test_a_wrong_weight_is_still_seen() -> None:
    model = models.build("mobilenet_v1", input_shape=(32, 32, 3), classes=10)
    flatbuffer = tfkit.convert(model, format="float16").flatbuffer
    kernel = next(layer for layer in model.layers if layer.name.endswith("pointwise")).kernel
    values = kernel.numpy()
    values[..., 0] *= -1
    kernel.assign(values)
    assert not tfkit.verify(model, flatbuffer, layers=False).ok
