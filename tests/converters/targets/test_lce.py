"""Larq Compute Engine's converter through the adapter: one route, no hidden errors, no noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tfkit
from helpers.conversion import SIDE, images, keras, layers, op_names, six_fallbacks
from tfkit._errors import ConversionError
from tfkit.converters import flatbuffer as fb
from tfkit.runtime import Interpreter


def test_do_give_what_larqs_own_converter_gives(binary_model: Any, binary_conversion: Any) -> None:
    import larq_compute_engine as lce

    theirs = bytes(lce.convert_keras_model(binary_model))
    assert op_names(binary_conversion.flatbuffer) == op_names(theirs)
    x = images(4)
    np.testing.assert_array_equal(Interpreter(binary_conversion.flatbuffer).predict(x), Interpreter(theirs).predict(x))


def test_do_keep_the_batch(binary_model: Any) -> None:
    conversion = tfkit.convert(binary_model, "lce", batch=3)
    graph = fb.parse(conversion.flatbuffer).main
    assert graph.tensors[graph.inputs[0]].shape == (3, SIDE, SIDE, 3)
    assert conversion.parity.ok


@pytest.mark.parametrize("fixture", ["aware_binary_model", "binary_model"])
def test_do_load_in_tflite_2_14(fixture: str, request: pytest.FixtureRequest) -> None:
    conversion = tfkit.convert(request.getfixturevalue(fixture), "lce", runtime="tflite-2.14")
    assert conversion.parity.ok


def test_do_make_integer_ends_after_training_for_them(mixed_conversion: Any) -> None:
    graph = fb.parse(mixed_conversion.flatbuffer).main
    assert {graph.tensors[i].type for i in (*graph.inputs, *graph.outputs)} == {"INT8"}


def test_do_be_silent(capfd: pytest.CaptureFixture[str]) -> None:
    """LCE prints an MLIR error for the grouped convolution and converts on; the ledger says it instead."""
    tfkit.convert(six_fallbacks(), "lce", verify=False)
    assert capfd.readouterr().err == ""


def test_do_not_pass_ops_that_nothing_can_run() -> None:
    i = layers.Input((4, 4), name="image")
    model = keras.Model(i, layers.Lambda(lambda x: tf.linalg.svd(x)[0])(i))
    with pytest.raises(ConversionError, match="no stock runtime can run the op Svd"):
        tfkit.convert(model, "lce")


def test_do_not_swallow_an_error(binary_model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """LCE's own front end would fall back to another route here, and hide the reason."""
    from larq_compute_engine.mlir import _tf_tfl_flatbuffer as native

    def fail(*args: Any) -> bytes:
        raise RuntimeError('loc("x"): error: the pattern exploded\n  at line 7')

    monkeypatch.setattr(native, "convert_graphdef_to_tflite_flatbuffer", fail)
    with pytest.raises(ConversionError, match="refused the model: the pattern exploded"):
        tfkit.convert(binary_model, "lce")
