"""Every way a model can come in gives the same flatbuffer; what cannot is refused clearly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.conversion import BINARY, SIDE, float_cnn, images, keras, larq, layers, op_names, pruned_cnn
from tfkit._errors import ConversionError, ModelError, UsageError
from tfkit.converters import flatbuffer as fb
from tfkit.converters.sources import open_source
from tfkit.runtime import Interpreter


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, float_model: Any) -> Path:
    found = tmp_path_factory.mktemp("models")
    tfkit.save(float_model, found / "model.keras")
    float_model.save(found / "model.h5")
    float_model.save(found / "saved", save_format="tf")
    return found


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "saved"])
def test_do_convert_files_like_models(name: str, folder: Path, float_conversion: Any) -> None:
    conversion = tfkit.convert(folder / name)
    assert conversion.parity.ok
    assert op_names(conversion.flatbuffer) == op_names(float_conversion.flatbuffer)
    x = images(3)
    np.testing.assert_array_equal(
        Interpreter(conversion.flatbuffer).predict(x), Interpreter(float_conversion.flatbuffer).predict(x)
    )


@pytest.mark.parametrize("format", ["float32", "dynamic", "int8"])
def test_do_convert_saved_models_with_one_partition(format: str, folder: Path) -> None:
    conversion = tfkit.convert(
        folder / "saved", format, calibration=images(8) if format == "int8" else None, min_agreement=0.0
    )
    assert conversion.parity.ok
    assert "SHAPE" not in op_names(conversion.flatbuffer)
    assert next(iter(fb.parse(conversion.flatbuffer).signatures)).inputs.keys() == {"image"}


def keras3_model() -> Any:
    import keras as keras3

    a = keras3.Input((SIDE, SIDE, 3), name="zebra")
    b = keras3.Input((4,), name="ant")  # sorts before zebra: the order of inputs must survive
    x = keras3.layers.Conv2D(8, 3, padding="same", name="conv")(a)
    x = keras3.layers.ReLU()(keras3.layers.BatchNormalization()(x))
    x = keras3.layers.Concatenate()([keras3.layers.Flatten()(x), keras3.layers.Dense(3)(b)])
    outputs = [keras3.layers.Dense(5, name="scores")(x), keras3.layers.Dense(1, name="size")(x)]
    return keras3.Model([a, b], outputs)


def test_do_convert_keras_3_in_memory_and_from_a_file(tmp_path: Path) -> None:
    model = keras3_model()
    model.save(tmp_path / "three.keras")
    for given in (model, tmp_path / "three.keras"):
        conversion = tfkit.convert(given)
        assert conversion.parity.ok
        assert conversion.metadata["source"] == "keras3"
        (signature,) = fb.parse(conversion.flatbuffer).signatures
        assert list(signature.inputs) == ["zebra", "ant"]
        assert list(signature.outputs) == ["scores", "size"]
        assert "SHAPE" not in op_names(conversion.flatbuffer)
        inputs = {"zebra": images(2), "ant": np.ones((2, 4), np.float32)}
        wanted = model([inputs["zebra"], inputs["ant"]], training=False)
        for got, want in zip(Interpreter(conversion.flatbuffer).predict(inputs), wanted, strict=True):
            np.testing.assert_allclose(got, np.asarray(want), rtol=1e-5, atol=1e-5)


def test_do_take_native_keras_3_binary_layers_to_bits() -> None:
    """A sign written with tf.where is recognised by LCE; the ledger lists the op, and says that it knows no layers."""
    import keras as keras3
    import tensorflow as tf

    class Sign(keras3.layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.where(x >= 0, 1.0, -1.0)

    class BinaryConv(keras3.layers.Layer):
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(3, 3, shape[-1], 32), initializer="glorot_uniform")

        def call(self, x: Any) -> Any:
            return tf.nn.conv2d(x, tf.where(self.kernel >= 0, 1.0, -1.0), 1, "VALID")

    i = keras3.Input((SIDE, SIDE, 32), name="image")
    conversion = tfkit.convert(keras3.Model(i, BinaryConv()(Sign()(i))), "lce")
    assert op_names(conversion.flatbuffer) == ["LceQuantize", "LceBconv2d"]
    assert conversion.parity.ok
    assert [e.op for e in conversion.ledger.entries] == ["LceBconv2d"]
    assert "Keras 3" in conversion.ledger.notes[0]


def test_do_keep_the_order_of_several_inputs_and_outputs() -> None:
    a, b = layers.Input((6, 6, 2), name="zebra"), layers.Input((6, 6, 2), name="ant")
    left = layers.Conv2D(3, 3, name="left")(a)
    right = layers.Conv2D(4, 3, name="right")(layers.Add()([a, b]))
    for format, settings in (("float32", {}), ("lce", {})):
        conversion = tfkit.convert(keras.Model([a, b], [right, left]), format, **settings)
        (signature,) = fb.parse(conversion.flatbuffer).signatures
        assert list(signature.inputs) == ["zebra", "ant"]
        assert list(signature.outputs) == ["right", "left"]
        graph = fb.parse(conversion.flatbuffer).main
        assert [graph.tensors[i].shape[-1] for i in graph.outputs] == [4, 3]
        assert [graph.tensors[i].name for i in graph.inputs] == ["zebra", "ant"]
        assert conversion.parity.ok


def test_do_take_pruning_wrappers_off() -> None:
    from tensorflow_model_optimization.sparsity.keras import ConstantSparsity, prune_low_magnitude

    wrapped = prune_low_magnitude(pruned_cnn(), pruning_schedule=ConstantSparsity(0.8, 0))
    conversion = tfkit.convert(wrapped)
    assert conversion.parity.ok
    assert {e.layer for e in conversion.ledger.entries} >= {"stem", "hidden"}


def test_do_convert_models_that_tf_mot_made_itself(float_model: Any) -> None:
    from tensorflow_model_optimization.quantization.keras import quantize_model

    model = quantize_model(keras.models.clone_model(float_model))
    for _ in range(2):  # two steps, so that the ranges have seen something
        model.compile("sgd", "mse")
        model.fit(images(16), np.zeros((16, 5), np.float32), epochs=1, verbose=0)
    conversion = tfkit.convert(model, "int8", io="int8")
    assert conversion.parity.ok
    assert conversion.parity.outputs[0].difference == 0.0
    assert conversion.ledger.ok


def test_do_hash_what_the_model_computes(float_model: Any, folder: Path) -> None:
    digest = open_source(float_model).digest()
    assert digest == open_source(float_model).digest()
    other = float_cnn()
    kernel, *rest = other.get_layer("scores").get_weights()
    other.get_layer("scores").set_weights([kernel + 1e-3, *rest])
    assert open_source(other).digest() != digest
    assert open_source(folder / "model.keras").digest() == open_source(folder / "model.keras").digest()


def test_do_not_take_what_is_no_model() -> None:
    with pytest.raises(ModelError, match=r"a Keras model or the path of one is needed, not builtins\.dict"):
        tfkit.convert({})


def test_do_not_guess_shapes() -> None:
    free = keras.Sequential([layers.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()])
    with pytest.raises(UsageError, match="free shape"):
        tfkit.convert(free)

    class Subclassed(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(UsageError, match="no symbolic inputs"):
        tfkit.convert(Subclassed())


def test_do_not_convert_mixed_precision() -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = keras.Sequential([layers.Input((4,)), layers.Dense(3)])
        with pytest.raises(UsageError, match="mixed_float16"):
            tfkit.convert(model)
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_do_not_guess_a_signature(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    for name in ("f", "g"):  # a single function would be exported as serving_default
        setattr(module, name, tf.function(lambda x: x * 2, input_signature=[tf.TensorSpec((None, 3))]))
    tf.saved_model.save(module, str(tmp_path / "bare"))
    with pytest.raises(ModelError, match="no signature 'serving_default'"):
        tfkit.convert(tmp_path / "bare")


def test_do_not_read_a_damaged_saved_model(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"not a protobuf at all")
    with pytest.raises(ModelError, match="no readable SavedModel"):
        tfkit.convert(tmp_path)


def test_do_convert_a_nested_binary_model() -> None:
    inner_input = layers.Input((SIDE, SIDE, 32))
    inner = keras.Model(inner_input, larq.layers.QuantConv2D(32, 3, name="inside", **BINARY)(inner_input))
    i = layers.Input((SIDE, SIDE, 32), name="image")
    conversion = tfkit.convert(keras.Model(i, layers.Flatten()(inner(i))), "lce")
    assert conversion.parity.ok
    assert [p.layer for p in conversion.parity.points] == ["inside"]


def _saved(folder: Path, shape: tuple[int, ...] | None) -> Path:
    import tensorflow as tf

    class Twice(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(tf.eye(4) * 2.0)

        @tf.function(input_signature=[tf.TensorSpec(shape, name="row")])
        def __call__(self, row):  # type: ignore[no-untyped-def] # TensorFlow reads annotations as tensor types
            return {"double": tf.matmul(tf.reshape(row + tf.zeros(4), (-1, 4)), self.kernel)}

    module = Twice()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.__call__})
    return folder


def test_do_keep_the_batch_that_a_saved_model_was_exported_with(tmp_path: Path) -> None:
    rows = np.arange(20, dtype=np.float32).reshape(5, 4)
    single = tfkit.convert(_saved(tmp_path / "1", (1, 4)), data=rows)
    assert single.parity.ok
    assert [output.samples for output in single.parity.outputs] == [8, 5]
    eight = _saved(tmp_path / "8", (8, 4))
    assert tfkit.convert(eight, batch=8, data=rows).parity.ok
    with pytest.raises(ConversionError, match=r"does not run on a batch of 1: .*--batch"):
        tfkit.convert(eight)


def test_do_not_guess_which_axis_is_the_batch(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'row' has no known number of axes"):
        tfkit.convert(_saved(tmp_path / "any", None))
    with pytest.raises(UsageError, match="'row' is a scalar"):
        tfkit.convert(_saved(tmp_path / "none", ()))


def test_do_say_which_layer_refuses_the_batch() -> None:
    i = layers.Input((4,), batch_size=8)
    fixed = keras.Model(i, layers.Lambda(lambda x: keras.backend.reshape(x, (8, 2, 2)), name="eight")(i))
    with pytest.raises(ConversionError, match=r"batch of 1: .*'eight'"):
        tfkit.convert(fixed)


def test_do_apply_the_masks_of_a_model_that_is_being_pruned() -> None:
    """The last optimizer step moves pruned weights away from zero; the next masking never comes."""
    from tfkit.pruning import callbacks, prune

    keras.utils.set_random_seed(1)
    model = prune(float_cnn(), 0.8, end_step=2, frequency=1)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(images(16), np.ones((16, 5), np.float32), batch_size=4, epochs=2, callbacks=callbacks(), verbose=0)
    for layer in model.layers:
        for weight in layer.trainable_weights:
            weight.assign_add(np.full(weight.shape, 1e-3, np.float32))
    ledger = tfkit.convert(model, verify=False).ledger
    assert {entry.layer for entry in ledger.entries if entry.declared == "sparse"} >= {"pointwise", "hidden", "scores"}
