"""Every declared layer is listed against what it became; nothing falls back silently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import larq
import numpy as np
import pytest

import tfkit
from helpers.conversion import BINARY, SIDE, binary_cnn, float_cnn, images, keras, layers, pruned_cnn, six_fallbacks
from tfkit._errors import StrictError
from tfkit.converters import flatbuffer as fb
from tfkit.converters import inspect, ledger

REASONS = {
    "grouped": "groups",
    "ternary": "ternary",
    "depthwise": "depthwise",
    "separable": "separable",
    "transposed": "transposed",
    "half": "weights_only",
}


@pytest.fixture(scope="module")
def six() -> Any:
    return six_fallbacks()


@pytest.fixture(scope="module")
def six_conversion(six: Any) -> Any:
    return tfkit.convert(six, "lce", verify=False)


def test_do_list_all_six_with_reasons(six_conversion: Any) -> None:
    fallbacks = {entry.layer: entry for entry in six_conversion.ledger.fallbacks}
    assert {name: entry.code for name, entry in fallbacks.items()} == REASONS
    for entry in fallbacks.values():
        assert entry.precision == "float32"
        assert entry.matched_by == "weights"
        assert entry.reason
        assert entry.fix
    assert fallbacks["separable"].op == "DEPTHWISE_CONV_2D + CONV_2D"
    kept = {entry.layer: entry for entry in six_conversion.ledger.entries if entry.status == "ok"}
    assert {(e.op, e.precision) for e in kept.values()} == {("LceBconv2d", "binary")}
    assert kept["good"].became == "LceBconv2d"


def test_do_show_what_was_rewritten_and_what_it_saves(six_conversion: Any) -> None:
    """32 -> 40: 40 words of bits, 40 multipliers and 40 offsets against 1280 floats."""
    dense = next(e for e in six_conversion.ledger.entries if e.layer == "dense")
    assert dense.became == "LceBconv2d (rewritten from Dense as 1x1)"
    assert (dense.bytes, dense.code) == (480, "saved")
    assert dense.reason == "4.5 KiB saved against float storage"
    assert "dense" in six_conversion.ledger.table()
    assert dense.became in six_conversion.ledger.table()
    assert "rewritten: dense (Dense as 1x1)" in inspect(six_conversion.flatbuffer).table()


def test_do_refuse_when_strict(six: Any) -> None:
    with pytest.raises(StrictError, match="6 of 8 declared layers fell back") as raised:
        tfkit.convert(six, "lce", strict=True)
    for name in REASONS:
        assert f"{name} (binary)" in str(raised.value)
    assert raised.value.exit_code == 3


def test_do_not_refuse_when_nothing_fell_back(binary_model: Any) -> None:
    assert tfkit.convert(binary_model, "lce", strict=True, verify=False).ledger.ok


def test_do_say_that_other_formats_have_no_bits(binary_model: Any) -> None:
    ledger = tfkit.convert(binary_model, verify=False).ledger
    assert [entry.code for entry in ledger.fallbacks] == ["format", "format"]


def test_do_note_zero_padding() -> None:
    ledger = tfkit.convert(binary_cnn(1, pad_values=0.0), "lce", verify=False).ledger
    assert [(e.status, e.code) for e in ledger.entries] == [("note", "zero_padding")]
    assert ledger.ok


def test_do_not_take_names_for_weights() -> None:
    """Two layers swap names: the ledger follows the weights. The names are what converters cut and merge."""
    i = layers.Input((SIDE, SIDE, 32), name="image")
    x = larq.layers.QuantConv2D(32, 3, name="b", **BINARY)(i)
    x = larq.layers.QuantConv2D(32, 3, kernel_quantizer="ste_sign", name="a")(x)  # weights only: falls back
    ledger = tfkit.convert(keras.Model(i, x), "lce", verify=False).ledger
    assert {e.layer: (e.precision, e.code) for e in ledger.entries} == {
        "b": ("binary", ""),
        "a": ("float32", "weights_only"),
    }


def test_do_open_nested_models() -> None:
    inner_input = layers.Input((SIDE, SIDE, 32))
    inner = keras.Model(
        inner_input, larq.layers.QuantConv2D(32, 3, name="inside", **BINARY)(inner_input), name="backbone"
    )
    i = layers.Input((SIDE, SIDE, 32), name="image")
    model = keras.Model(i, larq.layers.QuantDense(4, name="head", **BINARY)(layers.Flatten()(inner(i))))
    ledger = tfkit.convert(model, "lce", verify=False).ledger
    assert {e.layer: e.precision for e in ledger.entries} == {"backbone/inside": "binary", "head": "binary"}


def test_do_list_a_shared_layer_with_each_of_its_ops() -> None:
    i = layers.Input((SIDE, SIDE, 32), name="image")
    shared = larq.layers.QuantConv2D(32, 3, padding="same", pad_values=1, name="twice", **BINARY)
    ledger = tfkit.convert(keras.Model(i, shared(shared(i))), "lce", verify=False).ledger
    assert [(e.layer, e.op) for e in ledger.entries] == [("twice", "LceBconv2d + LceBconv2d")]


def test_do_list_int8_layers(int8_conversion: Any, aware_conversion: Any) -> None:
    for conversion in (int8_conversion, aware_conversion):
        entries = conversion.ledger.entries
        assert [e.layer for e in entries] == ["stem", "depthwise", "pointwise", "hidden", "scores"]
        assert {(e.declared, e.precision, e.status) for e in entries} == {("int8", "int8", "ok")}


def test_do_list_mixed_models(mixed_conversion: Any) -> None:
    entries = {e.layer: (e.declared, e.precision, e.status) for e in mixed_conversion.ledger.entries}
    assert entries == {
        "stem": ("int8", "int8", "ok"),
        "bits0": ("binary", "binary", "ok"),
        "bits1": ("binary", "binary", "ok"),
        "scores": ("int8", "int8", "ok"),
    }


def test_do_find_float_islands_in_integer_models(binary_model: Any) -> None:
    """Without a range behind the binary convolution's batch normalization the residual add computes in float."""
    from tensorflow_model_optimization.quantization.keras import quantize_annotate_layer, quantize_apply, quantize_scope

    def annotate(layer: Any) -> Any:
        is_plain = isinstance(layer, layers.Conv2D) and not isinstance(layer, larq.layers.QuantConv2D)
        copy = type(layer).from_config(layer.get_config())
        return quantize_annotate_layer(copy) if is_plain or isinstance(layer, layers.Add | layers.Dense) else copy

    with quantize_scope():
        model = quantize_apply(keras.models.clone_model(binary_model, clone_function=annotate))
    ledger = tfkit.convert(model, "lce", verify=False).ledger
    codes = [(e.op, e.code) for e in ledger.fallbacks]
    assert ("LceBconv2d", "float_op") in codes or ("ADD", "float_op") in codes
    assert not ledger.ok


def test_do_say_what_dynamic_leaves_in_float(float_model: Any) -> None:
    ledger = tfkit.convert(float_model, "dynamic", verify=False).ledger
    found = {e.layer: (e.precision, e.status, e.code) for e in ledger.entries}
    assert found["hidden"] == ("int8 weights", "ok", "")
    assert found["stem"] == ("float32", "note", "small")
    assert ledger.ok


def test_do_list_sparse_layers_with_bytes_saved(sparse_conversion: Any, float_conversion: Any) -> None:
    entries = {e.layer: e for e in sparse_conversion.ledger.entries}
    assert set(entries) == {"stem", "pointwise", "hidden", "scores"}
    assert all(e.status == "ok" and "saved against dense storage" in e.reason for e in entries.values())
    assert len(sparse_conversion.flatbuffer) < 0.6 * len(float_conversion.flatbuffer)
    assert sparse_conversion.parity.ok


def test_do_not_call_dense_models_sparse(float_conversion: Any) -> None:
    assert not float_conversion.ledger.entries
    assert float_conversion.ledger.ok


def test_do_say_that_a_format_stores_zeros() -> None:
    ledger = tfkit.convert(pruned_cnn(), "float16", verify=False).ledger
    assert {e.code for e in ledger.fallbacks} == {"sparse_format"}


def test_do_convert_a_kernel_of_zeros_alone() -> None:
    """Stored sparsely it would have no bytes, and be no constant for any runtime."""
    model = pruned_cnn()
    layer = model.get_layer("hidden")
    layer.kernel.assign(0 * layer.kernel)
    conversion = tfkit.convert(model)
    assert conversion.parity.ok
    assert {e.code for e in conversion.ledger.fallbacks} == {"sparse_op"}
    assert "a kernel is all zeros" in conversion.ledger.fallbacks[0].reason


def test_do_not_guess_layers_of_a_saved_model(tmp_path: Path) -> None:
    model = float_cnn()
    model.save(tmp_path / "saved", save_format="tf")
    ledger = tfkit.convert(tmp_path / "saved", "int8", calibration=images(8), verify=False).ledger
    assert "declarations are not visible" in ledger.notes[0]
    assert [e.op for e in ledger.entries] == ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"] + 2 * ["FULLY_CONNECTED"]


def test_do_round_trip_to_json(six_conversion: Any) -> None:
    import json

    document = json.loads(json.dumps(six_conversion.ledger.to_json()))
    assert document["schema_version"] == 1
    assert len(document["entries"]) == 8
    table = six_conversion.ledger.table()
    for entry in document["entries"]:
        assert entry["layer"] in table
        assert entry["reason"] in table


def test_do_count_zeros_after_the_quantizer() -> None:
    """A latent zero of a binary kernel is +1, so a 'pruned' binary layer is not sparse."""
    model = binary_cnn(1)
    layer = model.get_layer("bits0")
    layer.set_weights([np.where(np.random.default_rng(0).random(w.shape) < 0.9, 0, w) for w in layer.get_weights()])
    ledger = tfkit.convert(model, "lce", verify=False).ledger
    assert [(e.layer, e.declared, e.status) for e in ledger.entries] == [("bits0", "binary", "ok")]


def test_do_say_what_helps_where_calibration_left_an_op_in_float(float_model: Any, float_conversion: Any) -> None:
    """After calibration every tensor has a range: more training is not what is missing."""
    graph = fb.parse(float_conversion.flatbuffer)
    for trained, fix in ((False, "replace the layer"), (True, "tfkit.quantize_aware")):
        found = ledger.build(float_model, graph, "int8", trained_int8=trained)
        assert found.fallbacks
        assert all(entry.code == "float_op" and fix in entry.fix for entry in found.fallbacks)
