"""Post-training quantization of trained models: what the figures mean on real data (scikit-learn's digits)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.conversion import SEED, keras, layers
from tfkit.data import load
from tfkit.metadata import ModelMetadata, Preprocessing, attach_metadata

RANGE = Preprocessing(scale=1 / 8, offset=-1.0, raw_min=0.0, raw_max=16.0)


@pytest.fixture(scope="module")
def digits() -> Any:
    return load("digits")


def _raw(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), 8, 8, 1).astype(np.float32)


def _train(digits: Any, depthwise: bool) -> Any:
    keras.utils.set_random_seed(SEED)
    i = layers.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(i)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    if depthwise:
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Conv2D(32, 3, strides=2, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    model = keras.Model(i, layers.Dense(10, name="digit")(layers.Flatten()(x)))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(RANGE.apply(_raw(digits.x_train)), digits.y_train, epochs=6, batch_size=64, verbose=0)
    return attach_metadata(model, ModelMetadata(name="digits", preprocessing=RANGE))


@pytest.mark.parametrize("depthwise", [False, True])
def test_do_keep_the_accuracy_of_trained_models(depthwise: bool, digits: Any) -> None:
    model = _train(digits, depthwise)
    conversion = tfkit.convert(
        model,
        "int8",
        calibration=_raw(digits.x_train[:100]),
        data={"image": _raw(digits.x_test), "y": digits.y_test},
        io="int8",
    )
    parity = conversion.parity
    assert parity.ok
    by_data = {o.data: o for o in parity.outputs}
    assert by_data["given"].top1 >= 0.95
    keras_accuracy, flat_accuracy = by_data["given"].accuracy
    assert keras_accuracy > 0.9
    assert flat_accuracy > keras_accuracy - 0.03
    assert min(e.sqnr_db for e in parity.layers if e.sqnr_db is not None) > 15
    assert all(k.difference <= 1.0 for k in parity.kernels if k.unit == "LSB")


def test_do_apply_preprocessing_once(digits: Any) -> None:
    """Raw data in, accuracy as trained; already preprocessed data are refused."""
    model = _train(digits, False)
    with pytest.raises(tfkit.TfkitError, match="hand over the raw data"):
        tfkit.convert(model, "int8", calibration=RANGE.apply(_raw(digits.x_train[:16])))
    conversion = tfkit.convert(model, data={"x": _raw(digits.x_test), "y": digits.y_test})
    accuracy = {o.data: o for o in conversion.parity.outputs}["given"].accuracy
    assert accuracy[0] == accuracy[1] > 0.9
    assert conversion.metadata["preprocessing"]["raw_max"] == 16.0


def test_do_reject_a_model_that_int8_ruins(digits: Any) -> None:
    """One huge output channel takes the whole range of a per-tensor activation; the rest is rounded away."""
    model = _train(digits, False)
    head = model.get_layer("digit")
    kernel, bias = head.get_weights()
    bias = np.concatenate([bias[:9], bias[9:] - 1e5]).astype(np.float32)
    head.set_weights([kernel, bias])
    with pytest.raises(tfkit.TfkitError, match="same top-1 answer") as raised:
        tfkit.convert(model, "int8", calibration=_raw(digits.x_train[:100]), data=_raw(digits.x_test))
    assert raised.value.exit_code == 3
