"""Layers whose kernels alone are quantized: stored in bits, computed by the runtime's own ops."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.emulated_arm import run_on
from tfkit import layers, quantizers
from tfkit._errors import InferenceError, ModelError
from tfkit._keras import legacy_keras
from tfkit.converters import flatbuffer as fb
from tfkit.converters.lowbit.columns import STORED
from tfkit.runtime import Interpreter

keras = legacy_keras()
SHAPE = (9, 11, 16)
# Of the paper's own bits: a kernel quantizer a method, see the table of methods.
METHODS = (
    "bwn", "binary_connect_stochastic", "xnor_weights", "magnitude_aware_sign", "abc_w3", "twn", "ttq", "dorefa_w2",
    "lq_w2", "lq_w3", "lsq_w3", "uhlich_w4", "relaxed_w2", "log_w4", "inq_w5", "fixed_w8", "int4", "int_w8",
)  # fmt: skip


def _begun(model: Any) -> Any:
    """The model with learned scales at where they begin, and normalizations as after some training."""
    rng = np.random.default_rng(2)
    for layer in model.layers:
        quantizer = getattr(layer, "kernel_quantizer", None)
        if isinstance(quantizer, quantizers.Quantizer):
            quantizer.start(layer.kernel.latent_variable.numpy())
        if isinstance(quantizer, quantizers.INQ):
            quantizer.fix(layer.kernel.latent_variable.numpy(), 1.0)
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape
            layer.gamma.assign(rng.uniform(0.5, 1.5, channels) * rng.choice([-1, 1], channels))
            layer.moving_variance.assign(rng.uniform(0.5, 1.5, channels))
            layer.moving_mean.assign(rng.normal(0, 0.3, channels))
    return model


def _network(kernel: str, seed: int = 1) -> Any:
    """Two convolutions with batch normalization and activation between them."""
    keras.utils.set_random_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", layers.NotBinaryWarning)
        x = inputs = keras.Input(SHAPE)
        for filters in (32, 24):
            x = layers.QuantConv2D(filters, 3, padding="same", use_bias=False, kernel_quantizer=kernel)(x)
            x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return _begun(keras.Model(inputs, x))


def _kinds() -> Any:
    """One layer of every kind that has a kernel, on one input."""
    keras.utils.set_random_seed(5)
    inputs = keras.Input((8, 10, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", layers.NotBinaryWarning)
        x = layers.QuantConv2D(12, 3, strides=2, kernel_quantizer="int4", name="conv")(inputs)
        x = layers.QuantDepthwiseConv2D(3, padding="same", depthwise_quantizer="xnor_weights", name="depthwise")(x)
        x = layers.QuantConv2DTranspose(8, 2, strides=2, kernel_quantizer="twn", name="transpose")(x)
        x = layers.QuantSeparableConv2D(
            10, 3, depthwise_quantizer="dorefa_w3", pointwise_quantizer="lq_w2", name="separable"
        )(x)
        x = layers.QuantConv1D(8, 3, kernel_quantizer="ttq", name="line")(keras.layers.Reshape((-1, 10))(x))
        x = layers.QuantDense(7, kernel_quantizer="log_w3", name="dense")(keras.layers.Flatten()(x))
    return _begun(keras.Model(inputs, x))


@pytest.fixture(scope="module")
def ternary() -> Any:
    return tfkit.convert(_network("twn"), "lowbit", strict=True)


def test_every_kind_of_layer_stores_its_bits() -> None:
    conversion = tfkit.convert(_kinds(), "lowbit", strict=True)
    assert conversion.parity.ok
    assert {entry.ships_as for entry in conversion.ledger.entries} == {STORED}
    found = {entry.layer: entry.precision for entry in conversion.ledger.entries}
    assert found == {
        "conv": "W4 in float", "depthwise": "W1 in float", "transpose": "W2 in float",
        "separable": "W3 in float, W2 in float", "line": "W2 in float", "dense": "W3 in float",
    }  # fmt: skip


@pytest.mark.parametrize(
    "kernel",
    [pytest.param(name, marks=() if name in ("ttq", "inq_w5") else (pytest.mark.slow,)) for name in METHODS],
)
def test_files_are_as_small_as_their_bits(kernel: str) -> None:
    """Within 5 %, and what is float: scales, biases; the levels' table, which does not grow with the layer."""
    conversion = tfkit.convert(_network(kernel), "lowbit", strict=True)
    assert conversion.parity.ok
    bits = quantizers.get(kernel).precision
    for entry, depth, filters in zip(conversion.ledger.entries, (16 * 9, 32 * 9), (32, 24), strict=True):
        terms = {"ttq": 2, "abc_w3": 3, "lq_w2": 2, "lq_w3": 3}.get(kernel, 1)
        floats = 4 * filters * (terms + 1)
        table = 4 * terms * 2**bits if terms > 1 or kernel.startswith(("log", "inq")) else 0
        least = depth * filters * bits / 8
        assert least <= entry.bytes - floats <= 1.05 * least + table, entry
    ops = tfkit.inspect(conversion.flatbuffer)
    rest = len(conversion.flatbuffer) - ops.weight_bytes
    assert rest < 6000  # the graph, names and metadata


def test_the_runtime_computes_as_on_floats() -> None:
    """With steps of powers of two no weight rounds: XNNPACK gives the bits that it gives for the float32 file."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input(SHAPE)
    layer = layers.QuantConv2D(40, 3, padding="same", kernel_quantizer="lsq_w3")
    model = keras.Model(inputs, layer(inputs))
    layer.kernel_quantizer.step.assign(0.0625)
    samples = np.random.default_rng(3).normal(size=(1, *SHAPE)).astype(np.float32)
    full, packed = (tfkit.convert(model, format).flatbuffer for format in ("float32", "lowbit"))
    assert len(packed) < len(full) / 4
    for backend in ("litert", "tflite_runtime"):
        expected, got = (Interpreter(file, backend=backend).run([samples])[0] for file in (full, packed))
        np.testing.assert_array_equal(got, expected)


def test_levels_in_the_file_are_the_kernel() -> None:
    """Unpacked by the format's definition, a bit at a time."""
    model = _network("inq_w5")
    graph = fb.parse(tfkit.convert(model, "lowbit", verify=False).flatbuffer).main
    op = next(op for op in graph.ops if graph.tensors[op.outputs[0]].shape == (32, 3, 3, 16))
    options = fb.custom_options(op)
    words, table, scales = (graph.tensors[index] for index in op.inputs)
    stream = np.unpackbits(words.data, bitorder="little")
    codes, factors = table.data.view(np.int32), scales.data.view(np.float32)
    assert options["bits"] == 5
    normalization = model.layers[2]
    turned = normalization.gamma.numpy() / np.sqrt(normalization.moving_variance.numpy() + normalization.epsilon)
    kernel = np.moveaxis(np.asarray(model.layers[1].kernel_quantizer(model.layers[1].kernel.latent_variable)), -1, 0)
    expected = (kernel * turned[:, None, None, None]).ravel()
    for i in range(0, expected.size, 97):
        number = int(stream[5 * i : 5 * i + 5] @ (1 << np.arange(5)))
        row = i // options["inner"] % len(factors)
        np.testing.assert_allclose(codes[number] * factors[row], expected[i], rtol=1e-5, atol=1e-8)


def test_inspection_shows_bits_and_packed_bytes(ternary: Any) -> None:
    found = tfkit.inspect(ternary.flatbuffer)
    ops = [(op.name, op.precision) for op in found.ops if op.name != "TfkitUnpackWeights"]
    assert ops == [("CONV_2D", "W2 in float")] * 2
    sizes = [-(-16 * 9 * 32 * 2 // 32) * 4 + 32 * 8, -(-32 * 9 * 24 * 2 // 32) * 4 + 24 * 8]  # words, scales, biases
    convolutions = [op for op in found.ops if op.name == "CONV_2D"]
    assert [op.weight_bytes for op in convolutions] == sizes
    assert {op.precision for op in found.ops if op.name == "TfkitUnpackWeights"} == {"W2 to float32"}
    document = json.loads(json.dumps(found.to_json()))
    assert [op["precision"] for op in document["ops"] if op["macs"]] == ["W2 in float"] * 2


def test_weights_that_are_spoilt_fail_parity(ternary: Any) -> None:
    data = bytearray(ternary.flatbuffer)
    graph = fb.parse(bytes(data)).main
    op = next(op for op in graph.ops if op.name == "TfkitUnpackWeights")
    stored = graph.tensors[op.inputs[0]].data
    at = bytes(data).find(stored.tobytes())
    data[at + 7] = 0b01_00_01_00  # levels -1 and 0 of ternary weights: a sound file with others
    assert bytes(data) != ternary.flatbuffer
    assert not tfkit.verify(_network("twn"), bytes(data)).ok


def test_a_level_that_the_table_has_not_is_damage() -> None:
    data = bytearray(tfkit.convert(_network("ttq"), "lowbit", verify=False).flatbuffer)
    graph = fb.parse(bytes(data)).main
    op = next(op for op in graph.ops if op.name == "TfkitUnpackWeights")
    at = bytes(data).find(graph.tensors[op.inputs[0]].data.tobytes())
    data[at + 7] = 0xFF
    with pytest.raises(ModelError, match="a weight of level 3 of 3"):
        tfkit.inspect(bytes(data))
    with pytest.raises(InferenceError, match="a weight has the level 3 of 3"):
        Interpreter(bytes(data))


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a76"])
@pytest.mark.parametrize("kernel", METHODS)
def test_runs_on_emulated_arm(kernel: str, cpu: str, tmp_path: Path) -> None:
    """The same weights; XNNPACK adds the products in another order there, which the parity bound allows for."""
    conversion = tfkit.convert(_network(kernel), "lowbit", strict=True)
    samples = np.random.default_rng(2).normal(size=(1, *SHAPE)).astype(np.float32)
    expected = Interpreter(conversion.flatbuffer).run([samples])
    bound = f"--relative-tolerance={conversion.parity.outputs[0].bound}"
    code, document = run_on(cpu, conversion.flatbuffer, [samples], expected, tmp_path, bound)
    assert code == 0, json.dumps(document.get("golden"))


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a76"])
def test_int8_runs_on_emulated_arm_with_the_same_result(cpu: str, tmp_path: Path) -> None:
    samples = np.random.default_rng(2).normal(size=(8, *SHAPE)).astype(np.float32)
    flatbuffer = tfkit.convert(_network("inq_w4"), "auto", calibration=samples, io="int8").flatbuffer
    quantized = [np.random.default_rng(3).integers(-128, 128, (1, *SHAPE)).astype(np.int8)]
    expected = Interpreter(flatbuffer).run(quantized)
    code, document = run_on(cpu, flatbuffer, quantized, expected, tmp_path)
    assert code == 0, json.dumps(document.get("golden"))
