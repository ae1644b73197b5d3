from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from helpers.conversion import SIDE, float_cnn, images, keras, layers
from tfkit import load, save
from tfkit.quantization import is_settled, quantize_aware, settle


def trained_by_hand(model: Any) -> Any:
    aware = quantize_aware(model, images(32))
    aware.compile("adam", "mse")
    aware.fit(images(16), np.zeros((16, *aware.output_shape[1:]), np.float32), verbose=0)
    return aware


def two_ways() -> Any:
    keras.utils.set_random_seed(3)
    i = layers.Input((SIDE, SIDE, 3))
    x = layers.Concatenate()([layers.Conv2D(4, 3, activation="relu")(i), layers.Conv2D(4, 3)(i)])
    return keras.Model(i, layers.Dense(3)(layers.Flatten()(x)))


def test_settled_is_what_settle_leaves(tmp_path: Path) -> None:
    for model in (float_cnn(), two_ways()):
        aware = trained_by_hand(model)
        weights = [w.copy() for w in aware.get_weights()]
        assert not is_settled(aware)
        for before, after in zip(weights, aware.get_weights(), strict=True):
            np.testing.assert_array_equal(before, after, "the question changes nothing")
        assert is_settled(settle(aware))
        save(aware, tmp_path / "m.keras")
        assert is_settled(load(tmp_path / "m.keras"))


def test_other_models_have_nothing_to_settle() -> None:
    assert is_settled(float_cnn())
