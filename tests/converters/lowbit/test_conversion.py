"""Few-bit networks from Keras to the runtimes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.dorefa_alexnet import FEW_BIT_LAYERS, dorefa_alexnet
from helpers.emulated_arm import run_on
from tfkit import layers
from tfkit._errors import StrictError, UnsupportedError, UsageError
from tfkit._keras import legacy_keras
from tfkit.converters import flatbuffer as fb
from tfkit.converters.lowbit import bits
from tfkit.converters.parity.recording import record
from tfkit.runtime import Interpreter

keras = legacy_keras()


def _network(kernel: str, activations: str, seed: int = 1) -> Any:
    """A float stem, few-bit convolutions with stride, padding, bias and activation, a few-bit dense layer."""
    keras.utils.set_random_seed(seed)
    quantized = {"kernel_quantizer": kernel, "input_quantizer": activations}
    x = inputs = keras.Input((9, 11, 3))
    x = keras.layers.Conv2D(20, 3, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = layers.QuantConv2D(33, 3, padding="same", use_bias=False, **quantized)(x)
    x = keras.layers.BatchNormalization()(x)
    x = layers.QuantConv2D(16, (3, 2), strides=2, activation="relu", **quantized)(x)
    x = layers.QuantDense(12, **quantized)(keras.layers.Flatten()(x))
    model = keras.Model(inputs, keras.layers.Dense(5)(x))
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if any(part in weight.name for part in ("gamma", "variance")):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif any(part in weight.name for part in ("beta", "mean", "bias")):
            weight.assign(rng.normal(0, 0.3, weight.shape))
    model(rng.normal(size=(8, 9, 11, 3)).astype(np.float32), training=True)
    return model


@pytest.fixture(scope="module")
def converted() -> Any:
    return tfkit.convert(_network("dorefa_w2", "dorefa_a2"), "lowbit", strict=True)


@pytest.mark.parametrize(
    ("kernel", "activations"), [("lq_w2", "lq_a2"), ("ttq", "fixed_a4"), ("abc_w3", "abc_a2"), ("ste_sign", "ste_sign")]
)
def test_methods_convert_and_agree(kernel: str, activations: str) -> None:
    conversion = tfkit.convert(_network(kernel, activations), "lowbit", strict=True)
    assert conversion.parity.ok
    levels = [point for point in conversion.parity.points if point.kind == "level"]
    assert len(levels) == 3  # every input of a packed layer was judged


def test_ledger_and_inspection_tell_the_bits(converted: Any) -> None:
    assert [(e.declared, e.op, e.precision, e.status) for e in converted.ledger.entries] == [
        ("few-bit", "TfkitKBitConv2D", "W2A2", "ok"),
        ("few-bit", "TfkitKBitConv2D", "W2A2", "ok"),
        ("few-bit", "TfkitKBitDense", "W2A2", "ok"),
    ]
    found = tfkit.inspect(converted.flatbuffer)
    packed = [op for op in found.ops if op.name in bits.CONVOLUTIONS]
    sizes = [20 * 9 * 33, 33 * 6 * 16, 4 * 5 * 16 * 12]
    assert found.macs_by_kind["few-bit"] == sizes[0] * 99 + sizes[1] * 4 * 5 + sizes[2]
    # Beside the bits: 16-bit thresholds and the codes of 4 levels, or the scales and biases of floats.
    beside = [3 * 33 * 2 + 16, 3 * 16 * 2 + 16, 2 * 12 * 4]
    assert [op.precision for op in packed] == ["W2A2 to A2", "W2A2 to A2", "W2A2"]
    for op, weights, others in zip(packed, sizes, beside, strict=True):
        assert op.weight_bytes - others == -(-weights * 2 // 32) * 4


def test_integer_sums_are_exact() -> None:
    """With scales of powers of two nothing rounds: the outputs are Keras' to the last bit."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((7, 6, 40))
    layer = layers.QuantConv2D(24, 3, padding="same", input_quantizer="lsq_a3", kernel_quantizer="lsq_w3")
    model = keras.Model(inputs, layer(inputs))
    layer.input_quantizer.step.assign(0.25)
    layer.kernel_quantizer.step.assign(0.125)
    samples = np.random.default_rng(3).normal(0.5, 1, (1, 7, 6, 40)).astype(np.float32)
    conversion = tfkit.convert(model, "lowbit", strict=True)
    got = Interpreter(conversion.flatbuffer).run([samples])[0]
    np.testing.assert_array_equal(got, np.asarray(model(samples)))


@pytest.mark.parametrize("runtime", ["litert", "tflite-2.14"])
def test_runs_in_the_runtimes(runtime: str) -> None:
    conversion = tfkit.convert(_network("lsq_w2", "hwgq_a2"), "lowbit", runtime=runtime, strict=True)
    assert conversion.parity.ok
    assert conversion.parity.runtime == runtime


def test_a_layer_whose_levels_are_unknown_falls_back_with_its_reason() -> None:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 16))
    layer = layers.QuantConv2D(16, 3, kernel_quantizer="inq_w3", name="unfinished")
    model = keras.Model(inputs, layer(inputs))
    conversion = tfkit.convert(model, "lowbit")
    assert [(entry.code, entry.ships_as) for entry in conversion.ledger.fallbacks] == [("off_grid", "refused")]
    with pytest.raises(StrictError, match=r"unfinished .* none of its quantizer's levels"):
        tfkit.convert(model, "lowbit", strict=True)


def test_wrong_use_is_refused(tmp_path: Path) -> None:
    model = _network("dorefa_w2", "dorefa_a2")
    with pytest.raises(UnsupportedError, match="fixed batch"):
        tfkit.convert(model, "lowbit", batch="dynamic")
    with pytest.raises(UsageError, match="computes in float"):
        tfkit.convert(model, "lowbit", io="int8")
    model.export(str(tmp_path / "saved"))
    with pytest.raises(UsageError, match="SavedModel does not show"):
        tfkit.convert(str(tmp_path / "saved"), "lowbit")


def test_a_file_whose_weights_are_spoilt_fails_parity(converted: Any) -> None:
    model = _network("dorefa_w2", "dorefa_a2")
    data = bytearray(converted.flatbuffer)
    parsed = fb.parse(bytes(data))
    op = next(op for op in parsed.main.ops if op.name == "TfkitKBitConv2D")
    stored = parsed.main.tensors[op.inputs[1]].data
    assert stored is not None
    at = bytes(data).find(stored.tobytes())
    data[at + 5] ^= 0xFF
    assert not tfkit.verify(model, bytes(data)).ok


def _check_alexnet(model: Any) -> Any:
    """Larq Compute Engine's converter gives up on it: "cannot create std::vector larger than max_size()"."""
    conversion = tfkit.convert(model, "lowbit", strict=True)
    assert conversion.parity.ok
    few_bit = [entry for entry in conversion.ledger.entries if entry.declared == "few-bit"]
    assert [entry.precision for entry in few_bit] == ["W2A2"] * FEW_BIT_LAYERS
    # Bits from the first quantization to the last few-bit layer; flattening, too, is done in bits.
    assert [op.name.removeprefix("TfkitKBit") for op in tfkit.inspect(conversion.flatbuffer).ops] == [
        *("CONV_2D", "Quantize", "Conv2D", "MaxPool2D", "Conv2D", "MaxPool2D", "Conv2D", "Conv2D", "MaxPool2D"),
        *("Dense", "Dense", "FULLY_CONNECTED"),
    ]
    few_bits = sum(int(np.prod(layer.kernel.shape)) for layer in model.layers if hasattr(layer, "kernel_quantizer"))
    assert len(conversion.flatbuffer) <= 1.05 * few_bits * 2 / 8 + 4 * (model.count_params() - few_bits)
    return conversion


def test_a_two_bit_alexnet_converts_and_runs() -> None:
    """Of reduced width; the whole one is below."""
    _check_alexnet(dorefa_alexnet(side=115, width=1 / 8, classes=10))


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a76"])
def test_a_two_bit_alexnet_runs_on_emulated_arm(cpu: str, tmp_path: Path) -> None:
    """AlexNet in its own size: 60 million weights. What the float layers at its ends round differently, and no more."""
    flatbuffer = _check_alexnet(dorefa_alexnet()).flatbuffer
    sample = np.random.default_rng(7).normal(0.5, 0.5, (1, 224, 224, 3)).astype(np.float32)
    graph = fb.parse(flatbuffer).main
    first, last = (next(n for n, op in enumerate(ops) if op.is_custom) for ops in (graph.ops, graph.ops[::-1]))
    middle = range(first, len(graph.ops) - last)
    ends = [graph.ops[first].inputs[0]], [graph.ops[middle[-1]].outputs[0]]
    image = record(flatbuffer, [sample], backend="litert", tensors=[*ends[0]]).tensors[ends[0][0]]
    few_bit = fb.extract(flatbuffer, middle, *ends)
    expected = Interpreter(few_bit).run([image])
    code, document = run_on(cpu, few_bit, [image], expected, tmp_path)
    assert code == 0, json.dumps(document.get("golden"))


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a76"])
def test_runs_on_emulated_arm_with_the_same_result(cpu: str, tmp_path: Path) -> None:
    """Only packed ops, whose results are equal everywhere; float layers differ in the last bits between CPUs."""
    keras.utils.set_random_seed(4)
    x = inputs = keras.Input((9, 11, 20))
    for kernel, activations in (("dorefa_w2", "dorefa_a2"), ("lq_w2", "lq_a3"), ("ste_sign", "abc_a2")):
        x = layers.QuantConv2D(33, 3, padding="same", kernel_quantizer=kernel, input_quantizer=activations)(x)
    flatbuffer = tfkit.convert(keras.Model(inputs, x), "lowbit", strict=True).flatbuffer
    samples = np.random.default_rng(2).normal(size=(1, 9, 11, 20)).astype(np.float32)
    expected = Interpreter(flatbuffer).run([samples])
    code, document = run_on(cpu, flatbuffer, [samples], expected, tmp_path)
    assert code == 0, json.dumps(document.get("golden"))
