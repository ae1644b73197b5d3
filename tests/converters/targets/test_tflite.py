"""What TensorFlow Lite's converter gives through the adapter: formats, partitions, old runtimes, reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tfkit
from helpers.conversion import images, keras, layers, op_names, xnnpack_partitions
from tfkit._errors import ConversionError
from tfkit.converters import flatbuffer as fb
from tfkit.converters.pipeline import _check_loads
from tfkit.converters.targets.private_flags import disable_per_channel_dense
from tfkit.runtime import Interpreter


def types(flatbuffer: bytes) -> set[str]:
    graph = fb.parse(flatbuffer).main
    return {graph.tensors[i].type for op in graph.ops for i in op.outputs}


def test_do_make_one_partition_of_a_float_model(float_conversion: Any) -> None:
    assert "SHAPE" not in op_names(float_conversion.flatbuffer)
    assert xnnpack_partitions(float_conversion.flatbuffer) == (1, 0)


def test_do_see_more_partitions_where_there_are(float_model: Any) -> None:
    """The check of the check: TensorFlow's converter by itself keeps the batch free and cuts the graph."""
    naive = bytes(tf.lite.TFLiteConverter.from_keras_model(_with_dynamic_reshape()).convert())
    assert "SHAPE" in op_names(naive)
    assert xnnpack_partitions(naive) != (1, 0)
    fixed = tfkit.convert(_with_dynamic_reshape(), verify=False).flatbuffer
    assert "SHAPE" not in op_names(fixed)
    assert xnnpack_partitions(fixed) == (1, 0)


def _with_dynamic_reshape() -> Any:
    """A channel shuffle, whose reshapes TensorFlow computes from the batch."""
    i = layers.Input((8, 8, 8), name="image")
    x = layers.Conv2D(8, 1)(i)
    x = layers.Reshape((8, 8, 2, 4))(x)
    x = layers.Permute((1, 2, 4, 3))(x)
    x = layers.Reshape((8, 8, 8))(x)
    return keras.Model(i, layers.Conv2D(8, 1)(x))


@pytest.mark.parametrize(("batch", "shape"), [(1, 1), (3, 3), ("dynamic", -1)])
def test_do_fix_the_batch(batch: Any, shape: int, float_model: Any) -> None:
    conversion = tfkit.convert(float_model, batch=batch)
    graph = fb.parse(conversion.flatbuffer).main
    assert graph.tensors[graph.inputs[0]].shape_signature[0] == shape
    assert conversion.parity.ok
    predicted = Interpreter(conversion.flatbuffer).predict(images(6))
    np.testing.assert_allclose(predicted, float_model(images(6), training=False), rtol=1e-4, atol=1e-5)


def test_do_store_floats_in_16_bits(float_model: Any, float_conversion: Any) -> None:
    conversion = tfkit.convert(float_model, "float16")
    graph = fb.parse(conversion.flatbuffer).main
    assert {t.type for t in graph.tensors if t.is_constant} >= {"FLOAT16"}
    assert len(conversion.flatbuffer) < 0.65 * len(float_conversion.flatbuffer)
    assert conversion.parity.ok


def test_do_compute_in_integers_only(int8_conversion: Any) -> None:
    assert types(int8_conversion.flatbuffer) == {"INT8"}
    assert int8_conversion.metadata["io"] == "int8"


def test_do_put_doors_on_float_ends(float_model: Any) -> None:
    flatbuffer = tfkit.convert(float_model, "int8", calibration=images(8), verify=False).flatbuffer
    names = op_names(flatbuffer)
    assert (names[0], names[-1]) == ("QUANTIZE", "DEQUANTIZE")


@pytest.mark.parametrize("format", ["float32", "float16", "dynamic", "int8"])
def test_do_load_and_verify_in_tflite_2_14(format: str, float_model: Any) -> None:
    settings = {"calibration": images(8), "min_agreement": 0.0} if format == "int8" else {}
    conversion = tfkit.convert(float_model, format, runtime="tflite-2.14", **settings)
    assert conversion.parity.ok
    assert conversion.parity.runtime == "tflite-2.14"
    assert conversion.metadata["runtime"] == "tflite-2.14"
    Interpreter(conversion.flatbuffer, backend="tflite_runtime").predict(images(2))


def _dense_versions(flatbuffer: bytes) -> set[int]:
    return {op.version for op in fb.parse(flatbuffer).main.ops if op.name == "FULLY_CONNECTED"}


def test_private_flag_still_works(float_model: Any) -> None:
    """Without the flag dynamic Dense is version 12, which 2.14 lacks; fails when TensorFlow changes either."""
    assert 12 in _dense_versions(tfkit.convert(float_model, "dynamic", verify=False).flatbuffer)
    assert max(_dense_versions(tfkit.convert(float_model, "dynamic", runtime="tflite-2.14").flatbuffer)) <= 11


def test_private_flag_is_missed_clearly() -> None:
    with pytest.raises(ConversionError, match=r"has no _experimental_disable.* --runtime litert"):
        disable_per_channel_dense(object())


def test_do_name_the_op_that_the_old_runtime_lacks(float_model: Any) -> None:
    flatbuffer = tfkit.convert(float_model, "dynamic", verify=False).flatbuffer
    with pytest.raises(ConversionError, match="FULLY_CONNECTED version 12"):
        _check_loads(flatbuffer, "tflite-2.14")


def test_do_pass_on_the_converters_reason(capfd: pytest.CaptureFixture[str]) -> None:
    """One clear message with MLIR's words, and nothing on the terminal."""
    i = layers.Input((4, 4), name="image")
    model = keras.Model(i, layers.Lambda(lambda x: tf.linalg.svd(x)[0])(i))
    with pytest.raises(ConversionError, match=r"refused the model: .*Svd") as raised:
        tfkit.convert(model)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 1200
    assert capfd.readouterr().err == ""


def test_do_not_leave_a_float_op_in_full_integer() -> None:
    """TensorFlow Lite refuses what has no int8 kernel when it is asked for integers only."""
    i = layers.Input((8,), name="row")
    model = keras.Model(i, layers.Lambda(tf.math.erf)(layers.Dense(4)(i)))
    with pytest.raises(ConversionError, match=r"refused the model|no stock runtime"):
        tfkit.convert(model, "int8", calibration=np.random.default_rng(0).random((8, 8)).astype(np.float32))
