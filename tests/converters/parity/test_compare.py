"""Correct flatbuffers pass with the figures promised; wrong ones fail and say where."""

from __future__ import annotations

from typing import Any

import larq
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

import tfkit
from helpers.conversion import SEED, SIDE, binary_cnn, float_cnn, images, keras, layers
from tfkit._errors import ParityError
from tfkit.converters import flatbuffer as fb
from tfkit.converters.parity.bounds import float_bound
from tfkit.converters.parity.compare import LEAST_DEPENDENCE, input_dependence
from tfkit.converters.weights import Constants, weight_ops


def test_do_pass_float_within_the_derived_bound(float_conversion: Any) -> None:
    parity = float_conversion.parity
    (output,) = parity.outputs
    assert parity.ok
    assert (parity.mode, output.unit, output.top1) == ("float", "relative", 1.0)
    assert 0 < output.difference < float_bound(fb.parse(float_conversion.flatbuffer)) / 10
    assert output.bound < 2e-3


def test_do_pass_trained_int8_with_zero_lsb(aware_conversion: Any) -> None:
    parity = aware_conversion.parity
    assert parity.mode == "trained int8"
    assert {o.data for o in parity.outputs} == {"seeded", "given"}
    assert all((o.unit, o.difference, o.bound) == ("LSB", 0.0, 0.0) for o in parity.outputs)
    # input, stem, depthwise, pointwise, sum, hidden, scores: everything that is rounded to int8
    assert len(parity.points) == 7
    assert sum(p.errors for p in parity.points) == 0


def test_do_pass_binary_and_int8_in_one_file_with_zero_lsb(mixed_conversion: Any) -> None:
    parity = mixed_conversion.parity
    assert all((o.unit, o.difference) == ("LSB", 0.0) for o in parity.outputs)
    signs = {p.layer: p for p in parity.points if p.kind == "sign"}
    assert set(signs) == {"bits0", "bits1"}
    assert all(p.values == 16 * SIDE * SIDE * 32 and p.errors == 0 for p in signs.values())
    names = [op.name for op in fb.parse(mixed_conversion.flatbuffer).main.ops]
    assert names.count("ADD") == 2
    assert not {"QUANTIZE", "DEQUANTIZE"} & set(names)


def test_do_pass_binary(binary_conversion: Any) -> None:
    parity = binary_conversion.parity
    assert parity.ok
    assert [p.layer for p in parity.points] == ["bits0", "bits1"]
    assert parity.outputs[0].difference < float_bound(fb.parse(binary_conversion.flatbuffer))


def _rewritten(flatbuffer: bytes, op_name: str, change: Any, nth: int = 0) -> bytes:
    """The flatbuffer with one constant of one op changed; ``change`` gets a writable array of the stored bytes."""
    edit = fb.Edit(flatbuffer)
    model: schema.ModelT = edit._model
    graph = fb.parse(flatbuffer).main
    op = [o for o in graph.ops if o.name == op_name][nth]
    tensor = Constants(graph).tensor(op.inputs[1])
    assert tensor is not None
    data = np.array(model.buffers[tensor.buffer].data)
    change(data)
    model.buffers[tensor.buffer].data = data
    return edit.serialize()


@pytest.mark.parametrize(
    ("fixture", "model", "op", "layer"),
    [
        ("float_conversion", "float_model", "FULLY_CONNECTED", "hidden"),
        ("float_conversion", "float_model", "DEPTHWISE_CONV_2D", "depthwise"),
        ("aware_conversion", "aware_model", "CONV_2D", "stem"),
    ],
)
def test_do_not_pass_wrong_weights(
    fixture: str, model: str, op: str, layer: str, request: pytest.FixtureRequest
) -> None:
    """A tenth of one kernel's values is wrong; the first layer that differs is that layer."""

    def damage(data: np.ndarray) -> None:
        half = len(data) // 8 * 4
        data[: half // 5 * 4] = np.roll(data, 4)[: half // 5 * 4]

    wrong = _rewritten(request.getfixturevalue(fixture).flatbuffer, op, damage)
    parity = tfkit.verify(request.getfixturevalue(model), wrong)
    assert not parity.ok
    assert layer in parity.first_diverging
    assert parity.summary.startswith("parity failed")


def test_do_not_pass_one_flipped_bit_of_a_binary_kernel(binary_model: Any, binary_conversion: Any) -> None:
    def flip(data: np.ndarray) -> None:
        data[5] ^= 4

    wrong = _rewritten(binary_conversion.flatbuffer, "LceBconv2d", flip)
    parity = tfkit.verify(binary_model, wrong)
    assert not parity.ok
    # The first decision behind the damaged convolution is where values differ by more than rounding.
    assert parity.first_diverging == "bits1"


def test_do_not_pass_one_lsb_of_a_bias(aware_model: Any, aware_conversion: Any) -> None:
    """The smallest wrong thing an int8 file can hold: one output channel is one output step off."""
    flatbuffer = aware_conversion.flatbuffer
    graph = fb.parse(flatbuffer).main
    op = [o for o in graph.ops if o.name == "FULLY_CONNECTED"][-1]
    bias, out = graph.tensors[op.inputs[2]], graph.tensors[op.outputs[0]]
    assert bias.quantization is not None
    assert out.quantization is not None
    edit = fb.Edit(flatbuffer)
    step = int(np.ceil(out.quantization.scale[0] / bias.quantization.scale[0]))
    data = np.array(edit._model.buffers[bias.buffer].data if bias.is_constant else [], np.uint8).view(np.int32)
    data[0] += step
    edit._model.buffers[bias.buffer].data = data.view(np.uint8)
    parity = tfkit.verify(aware_model, edit.serialize())
    assert not parity.ok
    assert "scores" in parity.first_diverging


def test_do_tell_a_tie_from_an_error() -> None:
    """Fresh norms and even popcounts give values that are exactly zero: the flatbuffer may decide otherwise."""
    model = binary_cnn(2, fresh_norms=True)
    conversion = tfkit.convert(model, "lce", data=images(4))
    assert conversion.parity.ok
    assert all(p.errors == 0 for p in conversion.parity.points)


@pytest.mark.parametrize("pad_values", [0.0, 1.0])
def test_do_pass_both_paddings(pad_values: float) -> None:
    conversion = tfkit.convert(binary_cnn(3, pad_values=pad_values), "lce")
    assert conversion.parity.ok


def test_do_reject_a_model_whose_answers_on_real_data_are_ties() -> None:
    """Groups of 16 channels fall back to a float convolution, whose even sums cancel to about zero."""
    keras.utils.set_random_seed(SEED)
    settings = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
    inputs = layers.Input((SIDE, SIDE, 3), name="image")
    x = layers.Conv2D(64, 3)(inputs)
    for _ in range(4):
        x = larq.layers.QuantConv2D(64, 3, groups=4, padding="same", pad_values=1, **settings)(x)
        x = layers.BatchNormalization()(x)  # untrained: a sum of zero stays on the next sign's threshold
    model = keras.Model(inputs, larq.layers.QuantDense(100, **settings)(layers.Flatten()(x)))
    assert tfkit.convert(model, "lce").parity.points[-1].ties > 0
    with pytest.raises(ParityError, match=r"same top-1 answer as Keras on .* of the given data"):
        tfkit.convert(model, "lce", data=images(16))


def test_do_compare_post_training_in_two_parts(int8_conversion: Any) -> None:
    parity = int8_conversion.parity
    assert parity.mode == "post-training"
    assert [k.op for k in parity.kernels] == [o.name for o in fb.parse(int8_conversion.flatbuffer).main.ops]
    assert all(k.difference <= 1.0 for k in parity.kernels if k.unit == "LSB")
    assert [e.layer for e in parity.layers] == ["stem", "depthwise", "pointwise", "hidden", "scores"]
    assert all(e.sqnr_db is None or e.sqnr_db > 15 for e in parity.layers)
    assert {o.data for o in parity.outputs} == {"calibration"}


def test_do_reject_low_agreement_and_say_how_much(float_model: Any) -> None:
    """Calibrated on a corner of the data, judged on all of it."""
    dark = images(16) * 1e-3
    with pytest.raises(ParityError, match=r"same top-1 answer as Keras on \d+\.\d% of the given data; at least 99%"):
        tfkit.convert(float_model, "int8", calibration=dark, data=images(64, seed=5), min_agreement=0.99)
    conversion = tfkit.convert(float_model, "int8", calibration=dark, data=images(64, seed=5), min_agreement=0.0)
    assert conversion.parity.ok
    assert any("only" in w for w in conversion.parity.warnings)


def test_do_not_fake_top1_without_classes() -> None:
    i = layers.Input((SIDE, SIDE, 3), name="image")
    model = keras.Model(i, layers.Conv2D(2, 3, name="map")(i))
    conversion = tfkit.convert(model, "int8", calibration=images(8))
    (output,) = conversion.parity.outputs
    assert output.top1 is None
    assert "has no classes" in output.remark
    assert any("not judged" in w for w in conversion.parity.warnings)


def test_do_not_judge_an_untrained_model() -> None:
    """Its answer is the same for every input, up to noise: no agreement to speak of."""
    model = float_cnn()
    head = model.get_layer("scores")
    kernel, bias = head.get_weights()
    head.set_weights([kernel * 1e-3, np.linspace(-1, 1, len(bias)).astype(np.float32)])
    conversion = tfkit.convert(model, "int8", calibration=images(8))
    assert conversion.parity.outputs[0].top1 is None
    assert "looks untrained" in conversion.parity.outputs[0].remark


def test_do_measure_dependence_on_the_input() -> None:
    generator = np.random.default_rng(0)
    classes = generator.standard_normal(10)
    untrained = classes + 0.05 * generator.standard_normal((50, 10))
    trained = generator.standard_normal((50, 10))
    outlier = trained - np.eye(10)[9] * 1e5
    assert input_dependence(untrained) < LEAST_DEPENDENCE < input_dependence(trained)
    assert input_dependence(outlier) > LEAST_DEPENDENCE, "one odd class must not excuse the rest"
    assert input_dependence(np.zeros((8, 4))) == 0.0


def test_do_not_judge_accuracy_on_noise(float_model: Any) -> None:
    conversion = tfkit.convert(float_model, "dynamic")
    assert conversion.parity.ok
    assert any("random data says nothing" in w for w in conversion.parity.warnings)


def test_do_report_nan(float_model: Any, float_conversion: Any) -> None:
    def poison(data: np.ndarray) -> None:
        data.view(np.float32)[0] = np.nan

    wrong = _rewritten(float_conversion.flatbuffer, "FULLY_CONNECTED", poison)
    parity = tfkit.verify(float_model, wrong, layers=False)
    assert not parity.ok
    assert any("NaN" in failure for failure in parity.failures)


def test_do_verify_with_another_seed(float_model: Any, float_conversion: Any) -> None:
    first = tfkit.verify(float_model, float_conversion.flatbuffer, seed=1)
    second = tfkit.verify(float_model, float_conversion.flatbuffer, seed=2)
    assert first.ok
    assert second.ok
    assert first.outputs[0].difference != second.outputs[0].difference
    assert [e.layer for e in first.layers] == ["stem", "depthwise", "pointwise", "hidden", "scores"]


def test_do_count_terms_not_bits(float_conversion: Any, binary_conversion: Any) -> None:
    """The bound grows with the terms of float sums; binary sums are exact and do not count."""
    model = fb.parse(binary_conversion.flatbuffer)
    floats = [op.kernel.shape[1] for op in weight_ops(model.main) if op.precision == "float32"]
    assert floats == [27, 32]
    assert float_bound(model) == 2 * 2.0**-24 * (27 + 32 + 8 * len(model.main.ops))


def test_seed_is_reported(float_conversion: Any) -> None:
    assert f"seed {float_conversion.parity.seed}" in float_conversion.parity.table()
    assert float_conversion.parity.seed != SEED
