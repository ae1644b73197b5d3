"""The per-op comparison: every op of every kind is run, by itself, on what the reference computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.conversion import SIDE, images, keras, layers
from tfkit.converters import flatbuffer as fb
from tfkit.converters.parity import kernels
from tfkit.converters.parity.recording import record, recordable


@pytest.mark.parametrize("backend", ["litert", "tflite_runtime"])
def test_do_stay_within_one_lsb_over_many_ops(backend: Any) -> None:
    i = layers.Input((SIDE, SIDE, 3), name="image")
    x = layers.Conv2D(8, 3, activation="relu6")(i)
    x = layers.Concatenate()([layers.MaxPooling2D()(x), layers.AveragePooling2D()(x)])
    x = layers.ZeroPadding2D()(x)
    x = layers.Conv2DTranspose(8, 3)(x)
    x = layers.Multiply()([x, layers.Activation("sigmoid")(x)])
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(i, layers.Dense(4, activation="softmax")(x))
    flatbuffer = tfkit.convert(model, "int8", calibration=images(16), verify=False).flatbuffer
    found = kernels.compare_kernels(flatbuffer, [images(3)], backend)
    assert [k.op for k in found] == [op.name for op in fb.parse(flatbuffer).main.ops]
    assert len({k.op for k in found}) >= 9
    for kernel in found:
        assert kernel.difference <= kernel.bound, kernel


def test_do_not_accumulate(int8_conversion: Any) -> None:
    """Each op gets the reference's inputs: the sum of what ops differ by may exceed what any one does."""
    found = kernels.compare_kernels(int8_conversion.flatbuffer, [images(4)], "litert")
    assert max(k.difference for k in found) <= 1.0


def test_do_see_a_kernel_that_is_two_off(int8_conversion: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the check: the shipped kernel of one op is made wrong by two steps."""
    original = kernels.Interpreter

    class Wrong(original):  # type: ignore[misc, valid-type]
        def run(self, inputs: Any) -> Any:
            outputs = super().run(inputs)
            graph_outputs = self.outputs
            if graph_outputs[0].name.endswith("depthwise/depthwise1") or "depthwise" in graph_outputs[0].name:
                outputs[0] = np.clip(outputs[0].astype(np.int16) + 2, -128, 127).astype(np.int8)
            return outputs

    monkeypatch.setattr(kernels, "Interpreter", Wrong)
    found = kernels.compare_kernels(int8_conversion.flatbuffer, [images(2)], "litert")
    assert max(k.difference for k in found) >= 2.0


def test_do_bound_dynamic_quantization(float_model: Any) -> None:
    conversion = tfkit.convert(float_model, "dynamic")
    dense = [k for k in conversion.parity.kernels if k.op == "FULLY_CONNECTED"]
    assert dense
    assert all(0 <= k.difference <= k.bound < 0.5 for k in dense)


@pytest.mark.parametrize("kind", ["float", "int8", "binary", "mixed"])
def test_do_record_without_changing_the_result(kind: str, request: pytest.FixtureRequest) -> None:
    flatbuffer = request.getfixturevalue(f"{kind}_conversion").flatbuffer
    plain = record(flatbuffer, [images(3)], backend="litert")
    tensors = recordable(fb.parse(flatbuffer).main)
    assert len(tensors) > 5
    exposed = record(flatbuffer, [images(3)], backend="litert", tensors=tensors)
    np.testing.assert_array_equal(plain.outputs[0], exposed.outputs[0])
    assert all(len(values) == 3 for values in exposed.tensors.values())
