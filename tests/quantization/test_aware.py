from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.int8 import flatbuffer, ops, steps_apart
from helpers.keras import keras, shake_normalizations
from tfkit import blocks, models
from tfkit._errors import UnsupportedError
from tfkit.layers import QuantConv2D
from tfkit.metadata import ModelMetadata, Preprocessing, attach_metadata, metadata_of
from tfkit.quantization import is_quantize_aware, quantize_aware, settle

SEED = 3
layers = keras.layers
BINARY = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "padding": "same", "use_bias": False}


def stem() -> tuple[Any, Any]:
    inputs = layers.Input((8, 8, 1))
    return inputs, blocks.conv_bn(inputs, 32, name="stem")


def head(inputs: Any, x: Any) -> Any:
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def normalized(x: Any) -> Any:
    return layers.BatchNormalization()(x)


def residual() -> Any:
    inputs, x = stem()
    return head(inputs, blocks.quicknet_block(blocks.quicknet_block(x, name="a"), name="b"))


def relu_layer_before_norm() -> Any:
    inputs, x = stem()
    return head(inputs, layers.Add()([x, normalized(layers.ReLU()(QuantConv2D(32, 3, **BINARY)(x)))]))


def relu_after_norm() -> Any:
    inputs, x = stem()
    return head(inputs, layers.Add()([x, layers.ReLU()(normalized(QuantConv2D(32, 3, **BINARY)(x)))]))


def without_norm() -> Any:
    inputs, x = stem()
    return head(inputs, layers.Add()([x, QuantConv2D(32, 3, **BINARY)(x)]))


def max_pool_between() -> Any:
    inputs, x = stem()
    x = layers.MaxPooling2D()(QuantConv2D(32, 3, **BINARY)(x))
    return head(inputs, normalized(QuantConv2D(32, 3, **BINARY)(x)))


def concatenated() -> Any:
    inputs, x = stem()
    branches = [normalized(QuantConv2D(32, 3, **BINARY)(x)) for _ in range(2)]
    return head(inputs, normalized(QuantConv2D(32, 3, **BINARY)(layers.Concatenate()(branches))))


def bireal() -> Any:
    inputs, x = stem()
    return head(inputs, blocks.bireal_block(blocks.bireal_block(x, 32, name="a"), 64, 2, name="b"))


def quicknet() -> Any:
    inputs, x = stem()
    x = blocks.quicknet_transition(blocks.quicknet_block(x, name="a"), 64, name="t")
    return head(inputs, blocks.quicknet_block(x, name="b"))


def float_residual() -> Any:
    inputs, x = stem()
    return head(inputs, blocks.float_residual(x, name="a"))


def relus_without_norm() -> Any:
    inputs = layers.Input((8, 8, 1))
    x = layers.ReLU()(layers.Conv2D(16, 3)(inputs))
    x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3)(x))
    return head(inputs, layers.ReLU()(layers.Add()([x, layers.Conv2D(16, 3, padding="same", activation="relu")(x)])))


def concatenated_with_its_own_relu() -> Any:
    inputs, x = stem()
    return head(inputs, layers.Concatenate()([x, layers.ReLU()(x)]))


def products() -> Any:
    inputs, x = stem()
    y = blocks.conv_bn(x, 32, name="other")
    return head(inputs, layers.Subtract()([layers.Multiply()([x, y]), y]))


def samples(count: int = 64) -> np.ndarray:
    return np.random.default_rng(SEED).uniform(0, 1, (count, 8, 8, 1)).astype(np.float32)


def prepared(make: Any) -> Any:
    keras.utils.set_random_seed(SEED)
    return quantize_aware(shake_normalizations(make(), SEED), samples(256))


# Differences that remain come from Keras' float32: fake quantization computes (x - min) / scale with a relative
# error of some 2^-24, so a value within about 255 · 2^-22 = 6e-5 steps of a rounding border may fall on its other
# side. Each such event is one step in one of some 10^5 values; in front of a sign it can flip a bit.
# With the fixed seed, these networks show none at the output.
@pytest.mark.parametrize("make", [residual, relu_layer_before_norm, relu_after_norm, without_norm, concatenated])
def test_binary_and_int8_are_one_flatbuffer_and_exact(make: Any) -> None:
    model = prepared(make)
    data = flatbuffer(model)
    found = ops(data)
    assert not [op for op in found if "float" in op], found
    assert any(op.startswith("lcebconv2d:int8") for op in found), found
    assert steps_apart(model, data, samples()).max() == 0, f"seed {SEED}"


@pytest.mark.parametrize(
    "make",
    [float_residual, relus_without_norm, concatenated_with_its_own_relu, products, max_pool_between, bireal, quicknet],
)
def test_other_networks_have_no_float_op_and_stay_within_a_step(make: Any) -> None:
    model = prepared(make)
    data = flatbuffer(model)
    found = ops(data)
    assert not [op for op in found if "float" in op], found
    apart = steps_apart(model, data, samples())
    assert apart.max() <= 1, f"seed {SEED}"
    assert np.mean(apart > 0) < 0.01, f"seed {SEED}: {np.mean(apart > 0)}"


def test_average_pooling_becomes_the_convolution_it_is() -> None:
    inputs = layers.Input((6, 6, 4))
    model = keras.Model(inputs, layers.AveragePooling2D(2, padding="same")(inputs))
    x = np.random.default_rng(SEED).uniform(-1, 1, (8, 6, 6, 4)).astype(np.float32)
    aware = quantize_aware(model, x)
    # Two roundings of range 2 in 255 steps lie between them: the input's and the output's.
    np.testing.assert_allclose(aware.predict(x, verbose=0), model.predict(x, verbose=0), atol=2 / 255)
    assert not aware.trainable_weights


def test_fake_quantized_zero_is_exactly_zero() -> None:
    """sign(0) = +1 in Keras and in the flatbuffer, so zero must stay zero whatever the range."""
    import tensorflow as tf

    rng = np.random.default_rng(SEED)
    for low, high in zip(-rng.uniform(1e-4, 50, 500), rng.uniform(1e-4, 50, 500), strict=True):
        got = tf.quantization.fake_quant_with_min_max_args(tf.zeros(16), float(low), float(high))
        assert not np.any(got), f"seed {SEED}: range [{low}, {high}] makes zero {got[0]}"


def test_keeps_names_weights_and_metadata() -> None:
    model = models.build("small_cnn", scheme="binary", seed=SEED)
    before = [weight.copy() for weight in model.get_weights()]
    aware = quantize_aware(model)
    assert aware.name == model.name
    assert metadata_of(aware).scheme == "binary_int8"
    assert metadata_of(aware).preprocessing == metadata_of(model).preprocessing
    assert [layer.name.removeprefix("int8_") for layer in aware.layers if "quantize_layer" not in layer.name] == [
        layer.name for layer in model.layers
    ]
    (kernel,) = [weight for weight in aware.get_layer("int8_stem").trainable_weights if "kernel" in weight.name]
    np.testing.assert_array_equal(kernel.numpy(), before[0])
    for name in ("block1a", "block2b"):
        np.testing.assert_array_equal(aware.get_layer(name).get_weights()[0], model.get_layer(name).get_weights()[0])
    for weight, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, now)


def test_metadata_of_users_is_kept() -> None:
    model = attach_metadata(float_residual(), ModelMetadata("mine", "float32", Preprocessing(2.0), {"a": 1}))
    assert metadata_of(quantize_aware(model)) == ModelMetadata("mine", "int8", Preprocessing(2.0), {"a": 1})


def test_default_names_of_binary_layers_do_not_collide() -> None:
    keras.backend.clear_session()
    inputs = layers.Input((8, 8, 1))
    x = layers.Conv2D(32, 3)(inputs)
    model = head(inputs, normalized(QuantConv2D(32, 3, **BINARY)(x)))
    assert {"conv2d", "quant_conv2d"} <= {layer.name for layer in model.layers}
    assert is_quantize_aware(quantize_aware(model))


def test_trains() -> None:
    aware = prepared(residual)
    aware.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    labels = np.random.default_rng(SEED).integers(0, 10, 64)
    history = aware.fit(samples(), labels, epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_all_offenders_are_named_at_once() -> None:
    class Subclassed(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs

    inputs = layers.Input((8, 8, 32))
    inner = keras.Sequential([layers.Input((8, 8, 32)), layers.PReLU(name="slopes")], name="inner")
    x = inner(inputs)
    x = Subclassed(name="hidden")(x)
    x = layers.Conv2D(32, 3, activation="elu", name="with_elu")(x)
    x = layers.Softmax(name="attention")(x)
    x = layers.Lambda(lambda t: t**3, name="cube")(x)
    x = keras.backend.log(x)
    x = layers.BatchNormalization(axis=1, name="rows")(x)
    shared = layers.Conv2D(32, 1, name="shared")
    model = head(inputs, shared(shared(x)))
    with pytest.raises(UnsupportedError, match="cannot make") as caught:
        quantize_aware(model)
    message = str(caught.value)
    for expected in (
        "'slopes' (PReLU) has no int8 form",
        "'hidden' (Subclassed) is a subclassed model",
        "'with_elu' (Conv2D) has activation 'elu', which TFLite has no int8 kernel for; use relu",
        "'attention' (Activation) is a softmax inside",
        "'cube' (Lambda) hides what it computes",
        "(TFOpLambda) computes tf.math.log",
        "'rows' (BatchNormalization) normalizes another axis",
        "'shared' (Conv2D) is called 2 times",
    ):
        assert expected in message, message
    assert message.count("\n  - ") == 8, message


def test_refuses_a_second_time() -> None:
    with pytest.raises(UnsupportedError, match="quantization-aware already"):
        quantize_aware(quantize_aware(float_residual()))


def test_refuses_a_pruned_model() -> None:
    from tfkit.pruning import prune

    with pytest.raises(UnsupportedError, match=r"call tfkit.strip\(model\) first"):
        quantize_aware(prune(float_residual()))


def test_refuses_what_has_no_graph() -> None:
    class Subclassed(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(UnsupportedError, match="subclassed or not built"):
        quantize_aware(Subclassed())
    with pytest.raises(UnsupportedError, match=r"takes a tf_keras model, not builtins.str"):
        quantize_aware("m.keras")


def test_settling_twice_changes_nothing() -> None:
    model = prepared(bireal)
    once = [weight.copy() for weight in settle(model).get_weights()]
    for first, second in zip(once, settle(model).get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
