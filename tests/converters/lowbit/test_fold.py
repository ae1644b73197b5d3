"""Few-bit layers that hand bits on: the folded file computes what the unfolded one computes, to the last bit."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import tfkit
from tfkit import layers
from tfkit._keras import legacy_keras
from tfkit.converters import flatbuffer as fb
from tfkit.converters.lowbit.fold import folded
from tfkit.converters.targets import lowbit
from tfkit.runtime import Interpreter

keras = legacy_keras()
IMAGE = (11, 13, 5)


def _norm(x: Any) -> Any:
    """Batch normalization that takes the statistics of one batch."""
    return keras.layers.BatchNormalization(momentum=0.0)(x)


def _alive(model: Any, seed: int) -> Any:
    """Factors of either sign, and of zero, around which activations keep all their levels."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "gamma" in weight.name:
            values = rng.normal(0, 0.6, weight.shape)
            values[3] = 0
            weight.assign(values)
        elif "beta" in weight.name or "bias" in weight.name:
            weight.assign(rng.normal(0.4, 0.2, weight.shape))
    model(rng.normal(0.5, 0.5, (32, *model.input_shape[1:])).astype(np.float32), training=True)
    return model


def _convolutional(kernel: str, activations: str) -> Any:
    """All that may stand between few-bit layers; ends in one without anything behind it."""
    keras.utils.set_random_seed(11)
    quantized = lambda: {"kernel_quantizer": kernel, "input_quantizer": activations}  # noqa: E731
    x = inputs = keras.Input(IMAGE)
    x = _norm(layers.QuantConv2D(37, 3, padding="same", **quantized())(x))
    x = layers.QuantConv2D(33, 3, padding="same", use_bias=False, **quantized())(keras.layers.ReLU()(x))
    x = _norm(keras.layers.MaxPool2D(3, 2, padding="same")(x))  # its factors' signs lie behind the pooling
    x = layers.QuantConv2D(40, (3, 2), dilation_rate=2, padding="same", activation="relu", **quantized())(x)
    x = keras.layers.MaxPool2D(2)(keras.layers.ReLU(6.0)(_norm(x)))
    x = _norm(layers.QuantDense(34, use_bias=False, **quantized())(keras.layers.Flatten()(x)))
    x = _norm(layers.QuantDense(20, **quantized())(x))
    return _alive(keras.Model(inputs, layers.QuantDense(18, **quantized())(x)), 11)


def _both(model: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, Any]:
    """The flatbuffer before folding, and the conversion."""
    before: list[bytes] = []

    def keep(flatbuffer: bytes) -> bytes:
        before.append(flatbuffer)
        return folded(flatbuffer)

    monkeypatch.setattr(lowbit, "folded", keep)
    conversion = tfkit.convert(model, "lowbit", strict=True)
    return before[0], conversion


def _names(flatbuffer: bytes) -> list[str]:
    return [op.name.removeprefix("TfkitKBit") for op in fb.parse(flatbuffer).main.ops]


@pytest.mark.parametrize(("kernel", "activations"), [("dorefa_w2", "dorefa_a2"), ("lq_w2", "lsq_a3")])
def test_no_float_stands_between_layers(kernel: str, activations: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, conversion = _both(_convolutional(kernel, activations), monkeypatch)
    assert _names(conversion.flatbuffer) == [
        *("Quantize", "Conv2D", "Conv2D", "MaxPool2D", "Conv2D", "MaxPool2D", "Dense", "Dense", "Dense")
    ]
    few_bit = [point for point in conversion.parity.points if point.kind == "level"]
    assert len(few_bit) == 6
    runs = [Interpreter(flatbuffer) for flatbuffer in (plain, conversion.flatbuffer)]
    rng = np.random.default_rng(12)
    outputs = []
    for _ in range(10):
        sample = rng.normal(0.5, 0.5, (1, *IMAGE)).astype(np.float32)
        wanted, got = (run.run([sample])[0] for run in runs)
        np.testing.assert_array_equal(got, wanted)
        outputs.append(got)
    assert np.std(outputs, axis=0).mean() > 0.1 * np.abs(outputs).mean()  # bits that still depend on the input


def test_a_sum_with_others_stays_float(monkeypatch: pytest.MonkeyPatch) -> None:
    """A residual block: what the addition reads is float, scaled by the layer; two equal quantizers read the sum."""
    keras.utils.set_random_seed(13)
    quantized = lambda: {"kernel_quantizer": "dorefa_w2", "input_quantizer": "dorefa_a2"}  # noqa: E731
    x = inputs = keras.Input((6, 6, 32))
    inner = _norm(layers.QuantConv2D(32, 3, padding="same", use_bias=False, **quantized())(x))
    x = x + _norm(layers.QuantConv2D(32, 3, padding="same", use_bias=False, **quantized())(keras.layers.ReLU()(inner)))
    main = _norm(layers.QuantConv2D(48, 3, strides=2, padding="same", use_bias=False, **quantized())(x))
    shortcut = layers.QuantConv2D(48, 1, strides=2, use_bias=False, **quantized())(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(main + shortcut))
    model = _alive(keras.Model(inputs, keras.layers.Dense(5)(x)), 13)
    plain, conversion = _both(model, monkeypatch)
    assert Counter(_names(plain))["Quantize"] == 4
    found = Counter(_names(conversion.flatbuffer))
    assert found["Quantize"] == 2  # of the input, and of the sum, once
    assert found["MUL"] == 0
    outputs = {op.outputs[0]: op for op in fb.parse(conversion.flatbuffer).main.ops}
    assert sum(op.name == "TfkitKBitConv2D" and len(op.inputs) == 7 for op in outputs.values()) == 1
    assert conversion.parity.ok
    table = tfkit.inspect(conversion.flatbuffer)
    assert [op.precision for op in table.ops if op.name == "TfkitKBitConv2D"].count("W2A2 to A2") == 1
    assert table.macs_by_kind["few-bit"] == 2 * 36 * 32 * 32 * 9 + 9 * 48 * 32 * 10


def test_a_network_without_few_bits_is_left_alone() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    flatbuffer = tfkit.convert(model, verify=False).flatbuffer
    assert folded(flatbuffer) == flatbuffer


@pytest.mark.filterwarnings("ignore:.*will not run as a binary layer")
@pytest.mark.parametrize(("kernel", "activations", "bits"), [("dorefa_w2", "dorefa_a2", 2), ("bwn", "lsq_a3", 1)])
def test_a_file_is_as_small_as_its_bits(kernel: str, activations: str, bits: int) -> None:
    """Within 5 % of the few-bit weights' bits and of what Keras holds beside them in floats."""
    keras.utils.set_random_seed(14)
    x = inputs = keras.Input((8, 8, 3))
    x = _norm(keras.layers.Conv2D(64, 3, padding="same", use_bias=False)(x))
    few_bit = 0
    for filters in (128, 128, 160):
        few_bit += 9 * x.shape[-1] * filters
        convolution = layers.QuantConv2D(
            filters, 3, padding="same", use_bias=False, kernel_quantizer=kernel, input_quantizer=activations
        )
        x = _norm(convolution(x))
    model = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(x)))
    floats = model.count_params() - few_bit
    size = len(tfkit.convert(model, "lowbit", strict=True, verify=False).flatbuffer)
    assert size <= 1.05 * few_bit * bits / 8 + 4 * floats
