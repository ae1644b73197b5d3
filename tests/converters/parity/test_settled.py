"""Quantization-aware models that were trained by ``model.fit`` alone: converted, or told what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.conversion import SIDE, images, keras, layers
from tfkit.converters.pipeline import Rejected
from tfkit.quantization import settle

HINT = "Call tfkit.quantization.settle"


def _fit(model: Any) -> Any:
    keras.utils.set_random_seed(5)
    labels = np.arange(64) % 5
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images(64) + labels[:, None, None, None] / 5, labels, epochs=3, batch_size=8, verbose=0)
    return model


def _two_ways() -> Any:
    i = layers.Input((SIDE, SIDE, 3), name="image")
    left = layers.Conv2D(16, 3, padding="same", activation="relu")(i)
    right = layers.Conv2D(16, 3, padding="same")(i)
    x = layers.Conv2D(16, 3, strides=2)(layers.Concatenate()([left, right]))
    return keras.Model(i, layers.Dense(5, name="scores")(layers.Flatten()(x)))


def test_do_say_how_to_settle_what_was_trained_by_hand() -> None:
    keras.utils.set_random_seed(5)
    model = _fit(tfkit.quantize_aware(_fit(_two_ways())))
    data = images(32, seed=3)
    with pytest.raises(Rejected, match=HINT) as raised:
        tfkit.convert(model, "int8", io="int8", data=data)
    assert HINT in raised.value.parity.failures[0], "the cause comes first"
    assert not any("ties" in warning for warning in raised.value.parity.warnings)

    conversion = tfkit.convert(settle(model), "int8", io="int8", data=data)
    assert [(o.unit, o.difference) for o in conversion.parity.outputs] == [("LSB", 0.0)] * 2
    assert not any(HINT in warning for warning in conversion.parity.warnings)


def test_do_warn_where_it_fits_all_the_same(float_model: Any) -> None:
    model = _fit(tfkit.quantize_aware(float_model, images(32)))
    parity = tfkit.convert(model, "int8", io="int8").parity
    assert parity.ok
    assert HINT in parity.warnings[0]


def test_do_say_that_exported_layers_cannot_be_seen(tmp_path: Any) -> None:
    keras.utils.set_random_seed(5)
    model = _fit(tfkit.quantize_aware(_fit(_two_ways())))  # not settled: many values lie one step apart
    model.save(tmp_path / "saved", save_format="tf")
    with pytest.raises(Rejected, match="convert the tf_keras model that it was exported from"):
        tfkit.convert(tmp_path / "saved", "int8", io="int8", data=images(64, seed=3))
