"""The Interpreter against the bare runtimes and against LCE's interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.flatbuffers import golden, with_custom_op_renamed, with_outputs, without_custom_options
from helpers.keras import keras
from helpers.lce_runtimes import assert_same_bits, lce_reference
from tfkit import convert
from tfkit._errors import DataError, InferenceError, MissingToolError, ModelError, UsageError
from tfkit.runtime import Interpreter, backends

SEED = 41
BACKENDS = ("litert", "tflite_runtime")
KERNELS = ("optimized", "reference")


def images(count: int, shape: tuple[int, ...] = (8, 8, 3), seed: int = SEED) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype(np.float32)


def bare(backend: str, name: str, image: np.ndarray) -> np.ndarray:
    """What the runtime computes without tfkit."""
    # Loaded as tfkit does: beside TensorFlow, a runtime must bind its symbols to itself.
    interpreter = backends.load(backend).Interpreter(str(golden(name)))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    result: np.ndarray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return result


@pytest.mark.parametrize("backend", BACKENDS)
def test_float_model_is_the_bare_runtimes_output(backend: str) -> None:
    batch = images(3)
    expected = np.concatenate([bare(backend, "float32", batch[i : i + 1]) for i in range(3)])
    np.testing.assert_array_equal(Interpreter(golden("float32"), backend=backend).predict(batch), expected)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_free_batch_is_resized(backend: str) -> None:
    interpreter = Interpreter(golden("free_batch"), backend=backend)
    assert interpreter.inputs[0].free_batch
    assert interpreter.inputs[0].shape == (1, 8, 8, 3)
    batch = images(5)
    resized = interpreter.predict(batch)
    assert interpreter.inputs[0].shape == (5, 8, 8, 3)
    one_by_one = np.concatenate([interpreter.run([batch[i : i + 1]])[0] for i in range(5)])
    # A batched matrix product may sum in another order.
    np.testing.assert_allclose(resized, one_by_one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kernels", KERNELS)
def test_int8_ends_are_quantized_and_stay_int8(backend: str, kernels: str) -> None:
    interpreter = Interpreter(golden("int8"), backend=backend, kernels=kernels)
    info = interpreter.inputs[0]
    assert info.scale is not None
    assert info.zero_point is not None
    batch = images(4)
    exact = np.clip(np.round(batch.astype(np.float64) / info.scale) + info.zero_point, -128, 127).astype(np.int8)
    outputs = interpreter.predict(batch)
    assert outputs.dtype == np.int8
    assert outputs.shape == (4, 4)
    np.testing.assert_array_equal(outputs, interpreter.predict(exact))


def test_tensors_are_described_by_the_signatures_names() -> None:
    interpreter = Interpreter(golden("two_ends"))
    assert [(i.name, i.shape, i.dtype) for i in interpreter.inputs] == [
        ("left", (1, 4), np.float32),
        ("right", (1, 6), np.float32),
    ]
    # The flatbuffer's order, which need not be Keras': the signature's names tell which is which.
    assert {o.name: o.shape for o in interpreter.outputs} == {"output_0": (1, 3), "output_1": (1, 2)}


def test_several_ends_by_name_and_by_order() -> None:
    interpreter = Interpreter(golden("two_ends"))
    left, right = images(2, (4,)), images(2, (6,))
    by_name = interpreter.predict({"right": right, "left": left})
    by_order = interpreter.predict([left, right])
    assert [o.shape[1:] for o in by_name] == [info.shape[1:] for info in interpreter.outputs]
    for a, b in zip(by_name, by_order, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"left": np.zeros((1, 4))}, r"got arrays named \['left'\]; the model takes 'left' float32 \[1, 4\]; 'right'"),
        ([np.zeros((1, 4))], "got 1 arrays; the model takes 2"),
        (np.zeros((1, 4)), "several inputs; give a mapping or a sequence"),
        ([np.zeros((2, 4)), np.zeros((1, 6))], r"same, non-empty first axis .* got shapes \(2, 4\), \(1, 6\)"),
        ([np.zeros((0, 4)), np.zeros((0, 6))], "non-empty first axis"),
        ([np.zeros((1, 5)), np.zeros((1, 6))], r"'left' takes float32 \[1, 4\]; got float32 \[1, 5\]"),
        ([np.zeros((1, 4), complex), np.zeros((1, 6))], "'left' takes float32; got complex128"),
    ],
)
def test_batches_that_do_not_fit(batch: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Interpreter(golden("two_ends")).predict(batch)  # type: ignore[arg-type]


def test_run_takes_exact_types_only() -> None:
    interpreter = Interpreter(golden("int8"))
    with pytest.raises(DataError, match=r"'image' takes int8 \[1, 8, 8, 3\]; got float32 \[1, 8, 8, 3\]"):
        interpreter.run([images(1)])
    with pytest.raises(DataError, match="got 2 arrays; the model takes 1"):
        interpreter.run([images(1), images(1)])


def test_intermediate_tensors() -> None:
    image = images(1)
    interpreter = Interpreter(golden("float32"), preserve_all_tensors=True)
    (scores,) = interpreter.run([image])
    features = interpreter.tensor(5)
    assert features.shape == (1, 8, 8, 8)
    pooled = interpreter.tensor(6)
    # Summing 64 floats in another order moves the mean by a few units in its last place.
    np.testing.assert_allclose(features.mean(axis=(1, 2)), pooled, rtol=1e-5)
    assert scores.shape == (1, 4)
    with pytest.raises(InferenceError, match="preserve_all_tensors=True"):
        Interpreter(golden("float32")).tensor(10_000)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kernels", KERNELS)
def test_lce_int8_and_bitpacked_outputs_bit_for_bit(backend: str, kernels: str) -> None:
    flatbuffer = with_outputs(golden("lce_int8").read_bytes(), [7, 8])
    interpreter = Interpreter(flatbuffer, backend=backend, kernels=kernels)
    assert [o.dtype for o in interpreter.outputs] == [np.int32, np.int8]
    image = np.random.default_rng(SEED).integers(-128, 128, (1, 9, 7, 40)).astype(np.int8)
    for index, (want, got) in enumerate(zip(lce_reference(flatbuffer, [image]), interpreter.run([image]), strict=True)):
        assert_same_bits(want, got, f"output {index}, {backend}, {kernels}, seed {SEED}")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kernels", KERNELS)
def test_lce_float_output_within_1e_5(backend: str, kernels: str) -> None:
    flatbuffer = with_outputs(golden("lce_float32").read_bytes(), [19, 22])
    image = images(1, (12, 12, 3))
    bits, scores = Interpreter(flatbuffer, backend=backend, kernels=kernels).run([image])
    expected_bits, expected = lce_reference(flatbuffer, [image])
    assert_same_bits(expected_bits, bits, f"bitpacked, {backend}, {kernels}, seed {SEED}")
    assert np.abs(scores - expected).max() <= 1e-5 * np.abs(expected).max(), f"seed {SEED}"


@pytest.mark.parametrize("backend", BACKENDS)
def test_unknown_custom_ops_are_named(backend: str) -> None:
    flatbuffer = with_custom_op_renamed(golden("lce_int8").read_bytes(), "LceQuantize", "AcmeSign")
    with pytest.raises(InferenceError, match=r"unresolved custom op AcmeSign \(custom ops in this file: AcmeSign, Lce"):
        Interpreter(flatbuffer, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_op_that_the_delegate_declines_is_an_error(backend: str) -> None:
    with pytest.raises(InferenceError, match="LceBconv2d"):
        Interpreter(without_custom_options(golden("lce_int8").read_bytes()), backend=backend)


def test_op_versions_that_the_older_runtime_lacks_are_named() -> None:
    with pytest.raises(
        InferenceError, match=r"tflite_runtime has no FULLY_CONNECTED version 12; .*--runtime tflite-2.14"
    ):
        Interpreter(golden("new_op_version"), backend="tflite_runtime")
    assert Interpreter(golden("new_op_version")).predict(images(1, (64,))).shape == (1, 64)


def test_a_forced_kernel_is_checked() -> None:
    with pytest.raises(InferenceError, match="'nonsense' is not accepted; use one of"):
        Interpreter(golden("lce_int8"), kernel="nonsense")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_threads": 0}, "num_threads is 0; give 1 or more"),
        ({"kernels": "fast"}, "give 'optimized' or 'reference'"),
        ({"backend": "lite_rt"}, "unknown backend 'lite_rt'; did you mean 'litert'"),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Interpreter(golden("float32"), **arguments)  # type: ignore[arg-type]


def test_a_missing_backend_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with pytest.raises(MissingToolError, match=r"pip install 'tflite-runtime==2\.14\.0'"):
        Interpreter(golden("float32"), backend="tflite_runtime")


@pytest.mark.parametrize("backend", BACKENDS)
def test_truncated_files_are_model_errors(backend: str, tmp_path: Path) -> None:
    whole = golden("float32").read_bytes()
    file = tmp_path / "cut.tflite"
    for length in (0, 3, 8, 20, 100, len(whole) // 2, len(whole) - 60):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"cut\.tflite: "):
            Interpreter(file, backend=backend)
    with pytest.raises(ModelError, match=r"the given bytes: .*not a TFLite flatbuffer"):
        Interpreter(b"this is a text and no flatbuffer at all", backend=backend)
    with pytest.raises(ModelError, match="No such file"):
        Interpreter(tmp_path / "none.tflite", backend=backend)


FUZZ = """
import sys
import numpy as np
from tfkit._errors import TfkitError
from tfkit.runtime import Interpreter, backends
path, backend, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
whole = open(path, "rb").read()
random = np.random.default_rng(seed)
refused = 0
for attempt in range(count):
    damaged = bytearray(whole)
    for position in random.integers(0, len(whole), random.integers(1, 4)):
        damaged[position] = random.integers(0, 256)
    sys.stderr.write(f"attempt {attempt}\\n"); sys.stderr.flush()
    try:
        interpreter = Interpreter(bytes(damaged), backend=backend)
        interpreter.run([np.zeros(i.shape, i.dtype) for i in interpreter.inputs])
    except TfkitError:
        refused += 1
print(refused)
"""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["float32", "lce_float32"])
def test_damaged_files_never_crash(backend: str, name: str, tmp_path: Path) -> None:
    seed, count = 1234, 60
    command = [sys.executable, "-c", FUZZ, str(golden(name)), backend, str(seed), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 0, f"seed {seed}: exit code {done.returncode}, {done.stderr[-600:]}"
    assert 0 < int(done.stdout) < count


@pytest.mark.parametrize("backend", BACKENDS)
def test_sparse_layers_skip_their_zeros(backend: str) -> None:
    """A weight of zero is no step: an infinite pixel under nothing but zeros changes nothing, where dense gives NaN."""
    rng = np.random.default_rng(SEED)
    kernel = rng.uniform(0.5, 1, (1, 1, 64, 64)).astype(np.float32) * (rng.random((1, 1, 64, 64)) > 0.95)
    kernel[:, :, 0] = 0
    flatbuffer = sparse_convolution(kernel, side=16)
    batch = images(1, (16, 16, 64))
    usual = Interpreter(flatbuffer, backend=backend)
    expected = batch @ kernel[0, 0]
    np.testing.assert_allclose(usual.predict(batch), expected, rtol=1e-5, atol=1e-5)
    batch[..., 0] = np.inf
    np.testing.assert_allclose(usual.predict(batch), expected, rtol=1e-5, atol=1e-5)
    reference = Interpreter(flatbuffer, backend=backend, kernels="reference")
    np.testing.assert_array_equal(reference.predict(batch), usual.predict(batch))
    alone = backends.load(backend).Interpreter(model_content=flatbuffer)
    alone.allocate_tensors()
    alone.set_tensor(alone.get_input_details()[0]["index"], batch)
    alone.invoke()
    assert np.isnan(alone.get_tensor(alone.get_output_details()[0]["index"])).any()


def sparse_convolution(kernel: np.ndarray, side: int) -> bytes:
    """A 1x1 convolution whose kernel is stored sparse."""
    inputs = keras.Input((side, side, kernel.shape[2]), batch_size=1)
    layer = keras.layers.Conv2D(kernel.shape[3], 1, use_bias=False)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([kernel])
    return bytes(convert(model, "float32").flatbuffer)
