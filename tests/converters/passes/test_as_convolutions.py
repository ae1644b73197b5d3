"""Binary Dense and Conv1D layers run on the binary kernel after conversion, and compute what Keras computes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import larq
import numpy as np
import pytest

import tfkit
from helpers.conversion import images, keras, layers, op_names, randomize_norms
from helpers.emulated_arm import run_on
from tfkit.converters import flatbuffer as fb
from tfkit.converters import inspect
from tfkit.converters.parity.recording import arranged
from tfkit.converters.passes.as_convolutions import as_convolutions
from tfkit.converters.passes.replaced_calls import replaced_calls
from tfkit.layers import QuantConv1D, QuantConv2D, QuantDense
from tfkit.runtime import Interpreter

SEED = 19
SIGNS: dict[str, Any] = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def model_of(shape: tuple[int, ...], *stack: Any) -> Any:
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([layers.Input(shape, name="data"), *stack])
    return randomize_norms(model, SEED)


def assert_exact(conversion: Any) -> None:
    """Integer sums are exact in float32: nothing but a batch normalization's factors may differ, by rounding."""
    assert conversion.ledger.ok, conversion.ledger.table()
    assert conversion.parity.ok, conversion.parity.table()
    assert not conversion.parity.warnings, conversion.parity.table()


@pytest.mark.parametrize("library", [larq.layers, tfkit.layers])
@pytest.mark.parametrize("channels", [1, 31, 64, 100])
def test_dense_of_any_width(library: Any, channels: int) -> None:
    """The bits that fill the last word up count for nothing."""
    model = model_of((channels,), library.QuantDense(7, use_bias=channels > 31, name="head", **SIGNS))
    conversion = tfkit.convert(model, "lce", strict=True)
    assert_exact(conversion)
    assert conversion.parity.outputs[0].difference == 0.0
    (entry,) = conversion.ledger.entries
    assert (entry.rewritten, entry.matched_by) == ("Dense as 1x1", "weights")
    assert "FULLY_CONNECTED" not in op_names(conversion.flatbuffer)
    assert inspect(conversion.flatbuffer).macs_by_kind == {"binary": channels * 7, "few-bit": 0, "int8": 0, "float": 0}


@pytest.mark.parametrize("shape", [(5, 40), (3, 4, 40), (2, 3, 4, 40)], ids=str)
def test_dense_of_any_rank(shape: tuple[int, ...]) -> None:
    model = model_of(shape, QuantDense(6, activation="relu", name="head", **SIGNS), layers.BatchNormalization())
    conversion = tfkit.convert(model, "lce", strict=True)
    assert_exact(conversion)
    assert [e.op for e in conversion.ledger.entries] == ["LceBconv2d"]
    (output,) = Interpreter(conversion.flatbuffer).outputs
    assert tuple(output.shape) == (1, *shape[:-1], 6)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"padding": "same"},
        {"padding": "same", "strides": 2},
        {"padding": "same", "strides": 3, "kernel_size": 4},
        {"padding": "same", "dilation_rate": 2},
        {"padding": "same", "pad_values": 0.0},
        {"padding": "causal", "kernel_size": 1},
        {"strides": 2, "use_bias": True, "activation": "relu"},
        {"groups": 2},
        {"kernel_quantizer": "magnitude_aware_sign", "input_quantizer": "approx_sign"},
    ],
    ids=str,
)
def test_conv1d(settings: dict[str, Any]) -> None:
    made: dict[str, Any] = {"kernel_size": 3, **SIGNS, **settings}
    model = model_of((13, 64), QuantConv1D(8, name="steps", **made))
    conversion = tfkit.convert(model, "lce", strict=True)
    assert_exact(conversion)
    (entry,) = conversion.ledger.entries
    assert (entry.op, entry.rewritten) == ("LceBconv2d", f"Conv1D as 1x{made['kernel_size']}")
    assert {"CONV_2D", "SIGN", "PADV2", "PAD"}.isdisjoint(op_names(conversion.flatbuffer))


def test_what_follows_fuses_into_the_kernel() -> None:
    """Activation and batch normalization become the kernel's; from layer to layer only bits are handed on."""
    model = model_of(
        (100,),
        QuantDense(70, use_bias=False, **SIGNS),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        QuantDense(64, activation="relu", use_bias=False, **SIGNS),
        layers.BatchNormalization(),
        QuantDense(33, **SIGNS),
        layers.Dense(5),
    )
    conversion = tfkit.convert(model, "lce", strict=True)
    assert_exact(conversion)
    assert op_names(conversion.flatbuffer) == ["RESHAPE", "LceQuantize", *["LceBconv2d"] * 3, "FULLY_CONNECTED"]
    # 100 -> 70 -> 64 -> 33, whether the outputs are packed or not.
    assert inspect(conversion.flatbuffer).macs_by_kind["binary"] == 100 * 70 + 70 * 64 + 64 * 33


def test_steps_fuse_too() -> None:
    model = model_of(
        (16, 32),
        QuantConv1D(32, 3, padding="same", use_bias=False, **SIGNS),
        layers.BatchNormalization(),
        QuantConv1D(32, 5, strides=2, padding="same", use_bias=False, **SIGNS),
        layers.BatchNormalization(),
        QuantDense(8, **SIGNS),
    )
    conversion = tfkit.convert(model, "lce", strict=True)
    assert_exact(conversion)
    assert op_names(conversion.flatbuffer) == ["RESHAPE", "LceQuantize", *["LceBconv2d"] * 3, "RESHAPE"]


def test_nested_shared_and_distributed_layers() -> None:
    """The rewrite follows the calls, so how layers are put together does not matter."""
    keras.utils.set_random_seed(SEED)
    inner_input = layers.Input((12, 32))
    shared = QuantConv1D(32, 3, padding="same", name="shared", **SIGNS)
    inner = keras.Model(inner_input, layers.Add()([shared(shared(inner_input)), inner_input]), name="backbone")
    i = layers.Input((12, 32), name="data")
    x = layers.TimeDistributed(QuantDense(16, name="each", **SIGNS), name="distributed")(inner(i))
    model = keras.Model(i, QuantDense(4, name="head", **SIGNS)(layers.Flatten()(x)))
    conversion = tfkit.convert(model, "lce", strict=True)
    assert conversion.parity.ok, conversion.parity.table()
    assert conversion.parity.outputs[0].difference == 0.0
    found = {e.layer: (e.op, e.rewritten) for e in conversion.ledger.entries}
    assert found == {
        "backbone/shared": ("LceBconv2d + LceBconv2d", "Conv1D as 1x3"),
        "each": ("LceBconv2d", "Dense as 1x1"),
        "head": ("LceBconv2d", "Dense as 1x1"),
    }


def test_a_model_with_code_of_its_own() -> None:
    class Halves(keras.layers.Layer):
        """A layer that the converter knows nothing of, between two that it rewrites."""

        def call(self, inputs: Any) -> Any:
            return inputs[:, ::2] - inputs[:, 1::2]

    model = model_of((64,), QuantDense(64, name="a", **SIGNS), Halves(), QuantDense(8, name="b", **SIGNS))
    conversion = tfkit.convert(model, "lce", strict=True)
    assert_exact(conversion)
    assert conversion.parity.outputs[0].difference == 0.0


@pytest.fixture(scope="module")
def mixed() -> Any:
    """Binary and int8 in one: convolution, flatten, binary dense layers with a residual, steps, an int8 head."""
    keras.utils.set_random_seed(SEED)
    i = layers.Input((12, 12, 3), name="image")
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="stem")(i)
    x = layers.BatchNormalization()(x)
    x = QuantConv2D(32, 3, strides=2, padding="same", use_bias=False, name="bits", **SIGNS)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Reshape((9, 32))(x)
    x = QuantConv1D(32, 3, use_bias=False, padding="same", name="steps", **SIGNS)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Flatten()(x)
    x = QuantDense(70, use_bias=False, name="wide", **SIGNS)(x)
    x = layers.BatchNormalization()(x)
    y = QuantDense(70, activation="relu", use_bias=False, name="relu", **SIGNS)(x)
    y = layers.BatchNormalization()(y)
    x = layers.Add()([x, y])
    x = QuantDense(40, name="biased", **SIGNS)(x)
    model = randomize_norms(keras.Model(i, layers.Dense(5, name="scores")(x), name="mixed"))
    return tfkit.quantize_aware(model, images(32))


@pytest.mark.parametrize("runtime", ["litert", "tflite-2.14"])
def test_binary_and_int8_in_one_without_a_float(mixed: Any, runtime: str) -> None:
    conversion = tfkit.convert(mixed, "lce", io="int8", strict=True, runtime=runtime, data=images(8, seed=3))
    assert conversion.parity.ok, conversion.parity.table()
    assert all(output.difference == 0 for output in conversion.parity.outputs), conversion.parity.table()
    assert {t.type for t in fb.parse(conversion.flatbuffer).main.tensors if not t.is_constant} <= {"INT8", "INT32"}
    rewritten = {e.layer: e.rewritten for e in conversion.ledger.entries if e.rewritten}
    dense = dict.fromkeys(("wide", "relu", "biased"), "Dense as 1x1")
    assert rewritten == {"steps": "Conv1D as 1x3", **dense}
    assert "QUANTIZE" not in op_names(conversion.flatbuffer)


def test_a_nested_backbone_in_a_quantization_aware_model() -> None:
    keras.utils.set_random_seed(SEED)
    inner_input = layers.Input((12, 12, 3))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, use_bias=False, name="stem")(inner_input))
    backbone = keras.Model(inner_input, QuantDense(64, name="inside", **SIGNS)(layers.Flatten()(x)), name="backbone")
    i = layers.Input((12, 12, 3), name="image")
    x = layers.BatchNormalization()(QuantDense(32, use_bias=False, name="head", **SIGNS)(backbone(i)))
    aware = tfkit.quantize_aware(randomize_norms(keras.Model(i, layers.Dense(4, name="scores")(x))), images(32))
    conversion = tfkit.convert(aware, "lce", io="int8", strict=True)
    assert all(output.difference == 0 for output in conversion.parity.outputs), conversion.parity.table()
    rewritten = {e.layer: e.rewritten for e in conversion.ledger.entries if e.declared == "binary"}
    assert rewritten == {"inside": "Dense as 1x1", "head": "Dense as 1x1"}


def test_the_model_stays_what_it_was(mixed: Any) -> None:
    before, x = mixed.get_weights(), images(2)
    outputs = mixed.predict(x, verbose=0)
    held = [set(vars(layer)) for layer in mixed._flatten_layers()]
    tfkit.convert(mixed, "lce", verify=False)
    assert [set(vars(layer)) for layer in mixed._flatten_layers()] == held
    assert all(np.array_equal(a, b) for a, b in zip(before, mixed.get_weights(), strict=True))
    np.testing.assert_array_equal(mixed.predict(x, verbose=0), outputs)


def test_the_model_is_put_back_when_tracing_fails() -> None:
    model = model_of((40,), QuantDense(4, name="head", **SIGNS))

    def fail() -> None:
        with replaced_calls() as replace:
            as_convolutions(model, replace)
            assert "call" in vars(model.get_layer("head"))
            raise RuntimeError("while tracing")

    with pytest.raises(RuntimeError, match="while tracing"):
        fail()
    assert "call" not in vars(model.get_layer("head"))


def test_two_threads_leave_the_model_as_it_was() -> None:
    layer = keras.layers.Dense(4, name="head")
    second_is_in = threading.Event()

    def second() -> None:
        with replaced_calls() as replace:
            replace(layer, lambda inputs: inputs)
            second_is_in.set()

    thread = threading.Thread(target=second)
    with replaced_calls() as replace:
        replace(layer, lambda inputs: inputs)
        thread.start()
        assert not second_is_in.wait(0.2)
    thread.join()
    assert second_is_in.is_set()
    assert "call" not in vars(layer)


def test_parity_still_finds_a_wrong_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parity compares with the original layer: a rewrite that flips one weight is no copy of it."""
    from tfkit.converters.passes import as_convolutions as rewrite

    right = rewrite.effective

    def wrong(*args: Any) -> np.ndarray:
        kernel = right(*args).copy()
        kernel.flat[0] *= -1
        return kernel

    monkeypatch.setattr(rewrite, "effective", wrong)
    model = model_of((40,), QuantDense(4, name="head", **SIGNS))
    with pytest.raises(tfkit.converters.pipeline.Rejected, match="head on seeded data differs"):
        tfkit.convert(model, "lce")


def test_ends_and_names_stay() -> None:
    model = model_of((6, 20), QuantDense(4, name="scores", **SIGNS))
    conversion = tfkit.convert(model, "lce", batch=3)
    (given,), (output,) = Interpreter(conversion.flatbuffer).inputs, Interpreter(conversion.flatbuffer).outputs
    assert (given.name, tuple(given.shape)) == ("data", (3, 6, 20))
    assert (output.name, tuple(output.shape)) == ("scores", (3, 6, 4))


def test_verify_compares_layer_by_layer(tmp_path: Path) -> None:
    """From files alone: the maps of the flatbuffer are laid against the layers' own shapes."""
    steps, scores = QuantConv1D(6, 3, name="steps", **SIGNS), QuantDense(4, name="scores", **SIGNS)
    model = model_of((7, 32), steps, layers.GlobalMaxPooling1D(), scores)
    tfkit.save(model, tmp_path / "model.keras")
    tfkit.convert(model, "lce", verify=False).save(tmp_path / "model.tflite")
    parity = tfkit.verify(tmp_path / "model.keras", tmp_path / "model.tflite")
    assert parity.ok, parity.table()
    assert [(e.layer, e.op, e.difference) for e in parity.layers] == [
        ("steps", "LceBconv2d", 0.0),
        ("scores", "LceBconv2d", 0.0),
    ]
    assert [(p.layer, p.errors) for p in parity.points] == [("steps", 0), ("scores", 0)]


def test_only_maps_are_laid_against_other_shapes() -> None:
    values = np.arange(2 * 6 * 3).reshape(2, 1, 6, 3)
    assert arranged(values, (2, 1, 6, 96)) is values
    same = arranged(values, (2, 2, 3, 5, 1))
    assert same is None
    folded = arranged(values[:, :, :1], (2, 96))
    assert folded is not None
    assert folded.shape == (2, 3)
    wide = arranged(values, (2, 1, 2, 3, 96))
    assert wide is not None
    assert wide.shape == (2, 1, 2, 3, 3)
    assert arranged(values, (2, 6, 1, 96)) is None  # an image of another shape
    assert arranged(values, (1, 6, 96)) is None  # another number of samples


def test_other_formats_are_not_rewritten() -> None:
    model = model_of((64,), QuantDense(4, name="head", **SIGNS))
    conversion = tfkit.convert(model, "float32")
    assert [(e.code, e.rewritten) for e in conversion.ledger.entries] == [("format", "")]
    assert "rewritten" not in conversion.metadata


@pytest.mark.qemu
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a76"])
def test_on_an_emulated_arm_core(mixed: Any, cpu: str, tmp_path: Path) -> None:
    """The kernels of another processor give the answer of this one, which parity compared with Keras, bit for bit."""
    conversion = tfkit.convert(mixed, "lce", io="int8")
    assert {e.rewritten for e in conversion.ledger.entries} == {"", "Dense as 1x1", "Conv1D as 1x3"}
    image = np.random.default_rng(SEED).integers(-128, 128, (1, 12, 12, 3)).astype(np.int8)
    expected = Interpreter(conversion.flatbuffer).run([image])
    code, document = run_on(cpu, conversion.flatbuffer, [image], expected, tmp_path)
    assert code == 0, f"seed {SEED}: {document['golden']}"
    assert [node["op"] for node in document["delegate"]["nodes"]].count("LceBconv2d") == 5
