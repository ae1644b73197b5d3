from __future__ import annotations

from typing import Any

import pytest

from helpers.keras import keras
from tfkit import models
from tfkit._errors import UnsupportedError
from tfkit.counting import count
from tfkit.layers import QuantConv2D
from tfkit.pruning import prune
from tfkit.quantization import quantize_aware

layers = keras.layers


@pytest.mark.parametrize(
    ("layer", "macs", "params"),
    [
        # output pixels · kernel · input channels (per group) · filters, by hand
        (layers.Conv2D(6, 3), 6 * 8 * 9 * 4 * 6, 9 * 4 * 6 + 6),
        (layers.Conv2D(6, 3, 2, padding="same"), 4 * 5 * 9 * 4 * 6, 9 * 4 * 6 + 6),
        (layers.Conv2D(6, 3, groups=2), 6 * 8 * 9 * 2 * 6, 9 * 2 * 6 + 6),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 6 * 8 * 9 * 8, 9 * 8 + 8),
        (layers.SeparableConv2D(6, 3), 6 * 8 * (9 * 4 + 4 * 6), 9 * 4 + 4 * 6 + 6),
        (layers.Conv2DTranspose(6, 3, 2), 8 * 10 * 9 * 4 * 6, 9 * 4 * 6 + 6),
        (layers.Dense(5), 8 * 10 * 4 * 5, 4 * 5 + 5),
        (layers.BatchNormalization(), 0, 16),
        (layers.MaxPooling2D(), 0, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_against_hand_counts(layer: Any, macs: int, params: int) -> None:
    model = keras.Sequential([layers.Input((8, 10, 4)), layer])
    found = count(model)
    assert (found.macs, found.params) == (macs, params)
    assert model.count_params() == params


def test_precisions() -> None:
    binary = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
    model = keras.Sequential(
        [
            layers.Input((8, 8, 32)),
            layers.Conv2D(32, 1),
            QuantConv2D(32, 3, **binary, use_bias=False),
            layers.BatchNormalization(),
        ]
    )
    assert count(model).macs_by_precision == {"float32": 64 * 1024, "binary": 36 * 9 * 1024}
    assert count(quantize_aware(model)).macs_by_precision == {"int8": 64 * 1024, "binary": 36 * 9 * 1024}


def test_wrappers_do_not_count() -> None:
    model = models.build("small_cnn")
    for wrapped in (prune(model), quantize_aware(model)):
        assert count(wrapped).macs == count(model).macs
    assert count(prune(model)).params == count(model).params


def test_open_shapes_are_refused() -> None:
    model = keras.Sequential([layers.Input((None, None, 3)), layers.Conv2D(1, 1)])
    with pytest.raises(UnsupportedError, match=r"open shape.*fixed input shape"):
        count(model)
