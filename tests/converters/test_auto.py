"""``format="auto"``: every kind of op in one file, each layer by its quantizers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers import conversion as make
from tfkit import layers
from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import legacy_keras
from tfkit.converters import flatbuffer as fb
from tfkit.converters.lowbit.columns import INT8, LCE, OWN, STORED
from tfkit.runtime import Interpreter

keras = legacy_keras()
SIGNS = {"kernel_quantizer": "ste_sign", "input_quantizer": "ste_sign"}


def _mixed() -> Any:
    """Two inputs and two outputs, in an order that is not that of their names; a layer of every kind."""
    keras.utils.set_random_seed(1)
    first, second = keras.Input((8, 8, 32), name="zeta"), keras.Input((8, 8, 32), name="alpha")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", layers.NotBinaryWarning)
        x = layers.QuantConv2D(32, 3, padding="same", pad_values=1, use_bias=False, name="signs", **SIGNS)(first)
        x = keras.layers.BatchNormalization()(x) + second
        few = layers.QuantConv2D(
            16, 3, padding="same", kernel_quantizer="dorefa_w2", input_quantizer="dorefa_a2", name="few"
        )(x)
        x = layers.QuantConv2D(16, 3, use_bias=False, kernel_quantizer="lq_w3", name="weights")(few)
        x = keras.layers.Conv2D(8, 1, name="plain")(keras.layers.BatchNormalization()(x))
        x = layers.QuantDense(10, name="head", **SIGNS)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model([first, second], [x, few])


@pytest.fixture(scope="module")
def mixed() -> Any:
    return tfkit.convert(_mixed(), "auto", strict=True)


def test_each_layer_gets_the_op_of_its_quantizers(mixed: Any) -> None:
    found = {e.layer: (e.declared, e.op, e.precision, e.ships_as) for e in mixed.ledger.entries}
    assert found == {
        "signs": ("binary", "LceBconv2d", "binary", LCE),
        "few": ("few-bit", "TfkitKBitConv2D", "W2A2", OWN),
        "weights": ("few-bit", "CONV_2D", "W3 in float", STORED),
        "head": ("binary", "TfkitKBitDense", "W1A1", OWN),
    }
    table = mixed.ledger.table()
    assert "ships as" in table
    assert "2 of 2 binary, 2 of 2 few-bit layers are what they were declared" in table
    assert [e["ships_as"] for e in mixed.ledger.to_json()["entries"]] == [LCE, OWN, STORED, OWN]


def test_all_of_it_agrees_with_keras(mixed: Any) -> None:
    assert mixed.parity.ok
    assert not mixed.parity.warnings  # every decision was found, of either kind
    assert {(point.layer, point.kind) for point in mixed.parity.points} == {
        ("signs", "sign"), ("few", "level"), ("head", "level")
    }  # fmt: skip


def test_ends_keep_the_order_of_the_model(mixed: Any) -> None:
    graph = fb.parse(mixed.flatbuffer).main
    assert [graph.tensors[i].name for i in graph.inputs] == ["zeta", "alpha"]
    assert [graph.tensors[i].shape for i in graph.outputs] == [(1, 10), (1, 8, 8, 16)]


def test_without_quantizers_it_is_the_float_file(float_model: Any, float_conversion: Any) -> None:
    conversion = tfkit.convert(float_model, "auto")
    samples = make.images(1)
    got, expected = (Interpreter(c.flatbuffer).run([samples]) for c in (conversion, float_conversion))
    np.testing.assert_array_equal(got[0], expected[0])
    assert not tfkit.inspect(conversion.flatbuffer).custom_ops


def test_a_quantization_aware_model_keeps_its_integers(aware_binary_model: Any, mixed_conversion: Any) -> None:
    """Binary ops between int8 ones, as ``lce`` has them."""
    conversion = tfkit.convert(aware_binary_model, "auto", io="int8", data=make.images(8, seed=3))
    assert conversion.ledger.ok
    assert conversion.parity.mode == "trained int8"
    mine, theirs = ([op.name for op in tfkit.inspect(c.flatbuffer).ops] for c in (conversion, mixed_conversion))
    assert mine == theirs
    assert {e.ships_as for e in conversion.ledger.entries if e.declared == "binary"} == {LCE}


def test_all_kinds_stand_between_integers() -> None:
    """A quantization-aware model with a binary, a few-bit and a weights-only layer: four columns in one file."""
    keras.utils.set_random_seed(1)
    x = inputs = keras.Input((8, 8, 8))
    x = keras.layers.ReLU()(keras.layers.Conv2D(32, 3, padding="same", name="stem")(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", layers.NotBinaryWarning)
        x = layers.QuantConv2D(32, 3, padding="same", pad_values=1, use_bias=False, name="signs", **SIGNS)(x)
        x = keras.layers.BatchNormalization()(x)
        x = layers.QuantConv2D(16, 3, kernel_quantizer="dorefa_w2", input_quantizer="dorefa_a2", name="few")(x)
        x = layers.QuantConv2D(16, 3, kernel_quantizer="twn", name="weights")(keras.layers.ReLU()(x))
    model = keras.Model(inputs, keras.layers.Dense(5, name="head")(keras.layers.Flatten()(x)))
    samples = np.random.default_rng(2).normal(size=(16, 8, 8, 8)).astype(np.float32)
    conversion = tfkit.convert(tfkit.quantize_aware(model, samples), "auto", strict=True)
    assert conversion.parity.ok
    found = {e.layer: (e.declared, e.precision, e.ships_as) for e in conversion.ledger.entries}
    assert {name: found[name] for name in ("stem", "signs", "few", "weights", "head")} == {
        "stem": ("int8", "int8", ""),
        "signs": ("binary", "binary", LCE),
        "few": ("few-bit", "W2A2", OWN),
        "weights": ("few-bit", "W2 in int8", INT8),
        "head": ("int8", "int8", ""),
    }


def _weights_only(kernel: str) -> Any:
    keras.utils.set_random_seed(4)
    x = inputs = keras.Input((8, 8, 12))
    x = keras.layers.ReLU()(layers.QuantConv2D(16, 3, kernel_quantizer=kernel, name="conv")(x))
    return keras.Model(inputs, layers.QuantDense(5, kernel_quantizer=kernel, name="head")(keras.layers.Flatten()(x)))


@pytest.mark.parametrize(("format", "precision"), [("int8", "int8"), ("auto", "W4 in int8")])
def test_levels_are_the_int8_weights(format: str, precision: str) -> None:
    """Integers times their scale are the quantized kernel, to float rounding; ``auto`` stores them in four bits."""
    model = _weights_only("int4")
    samples = np.random.default_rng(5).normal(size=(16, 8, 8, 12)).astype(np.float32)
    conversion = tfkit.convert(model, format, calibration=samples, io="int8", strict=True)
    assert conversion.parity.ok
    assert [(e.precision, e.ships_as, e.status) for e in conversion.ledger.entries] == [(precision, INT8, "ok")] * 2
    graph = fb.parse(conversion.flatbuffer).main
    op = next(op for op in graph.ops if op.name == "CONV_2D")
    tensor, layer = graph.tensors[op.inputs[1]], model.get_layer("conv")
    kernel = np.asarray(layer.kernel_quantizer(layer.kernel.latent_variable.numpy()))
    largest = np.abs(kernel).max((0, 1, 2))
    np.testing.assert_allclose(tensor.quantization.scale, largest / 7, rtol=1e-5)
    if format == "int8":
        integers = tensor.data.view(np.int8).reshape(tensor.shape)
        np.testing.assert_array_equal(integers, np.moveaxis(np.round(kernel / largest * 7), -1, 0))
    else:
        words = next(graph.tensors[o.inputs[0]] for o in graph.ops if o.outputs == (op.inputs[1],))
        assert len(words.data) == -(-kernel.size * 4 // 32) * 4


def test_levels_that_are_no_integers_are_rounded_with_a_remark() -> None:
    model = _weights_only("ttq")
    for layer in ("conv", "head"):
        model.get_layer(layer).kernel_quantizer.positive.assign(0.31)
    samples = np.random.default_rng(5).normal(size=(16, 8, 8, 12)).astype(np.float32)
    conversion = tfkit.convert(model, "int8", calibration=samples, verify=False)
    assert [(e.code, e.status) for e in conversion.ledger.entries] == [("not_integers", "note")] * 2


def test_wrong_use_is_refused(binary_model: Any) -> None:
    with pytest.raises(UsageError, match="calibration runs the model in float"):
        tfkit.convert(binary_model, "auto", calibration=make.images(8))
    with pytest.raises(UnsupportedError, match="fixed batch"):
        tfkit.convert(binary_model, "auto", batch="dynamic")
    with pytest.raises(UsageError, match="need known ranges"):
        tfkit.convert(binary_model, "auto", io="int8")
