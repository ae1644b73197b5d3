"""Whole networks from float to a verified int8 flatbuffer: quantize_aware, some training, strict conversion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from helpers.int8 import ops
from helpers.keras import keras, shake_normalizations
from tfkit.converters import convert
from tfkit.layers import QuantConv2D
from tfkit.quantization import calibrate, quantize_aware, settle

SEED = 4
CLASSES = 4
layers = keras.layers
BINARY: dict[str, Any] = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}


def colours(side: int, count: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Raw images whose class is their strongest colour (the last class: grey), with noise."""
    rng = np.random.default_rng(SEED)
    labels = rng.integers(0, CLASSES, count)
    images = rng.uniform(0, 150, (count, side, side, 3))
    for image, label in zip(images, labels, strict=True):
        image[..., label : label + 1] += 100
    return images.astype(np.float32), labels


def road(model: Any) -> tuple[Any, list[str]]:
    """quantize_aware, training, settling, conversion; returns (parity, ops)."""
    x, y = colours(model.input_shape[1])
    aware = quantize_aware(model, x)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    aware.compile(keras.optimizers.Adam(1e-3), loss, run_eagerly=True)  # tracing takes longer than these few steps
    losses = aware.fit(x, y, batch_size=16, verbose=0).history["loss"]
    assert np.isfinite(losses).all(), f"seed {SEED}: {losses}"
    settle(calibrate(aware, x))
    conversion = convert(aware, format="int8" if not _has_bits(model) else "lce", strict=True, io="int8")
    return conversion.parity, ops(conversion.flatbuffer)


def _has_bits(model: Any) -> bool:
    return any(isinstance(layer, QuantConv2D) for layer in model.layers)


def assert_exact_and_integer(model: Any) -> list[str]:
    parity, found = road(model)
    assert parity.ok, parity.failures
    assert parity.outputs[0].difference == 0, f"seed {SEED}: {parity.summary}"
    floats = [op for op in found if not op.endswith(":int8") and op != "lcequantize:int32"]
    assert not floats, floats
    return [op.split(":")[0] for op in found]


def shaken(make: Callable[[], Any]) -> Any:
    keras.utils.set_random_seed(SEED)
    return shake_normalizations(make(), SEED)


def act(x: Any) -> Any:
    return layers.ReLU()(layers.BatchNormalization()(x))


def start() -> tuple[Any, Any]:
    inputs = layers.Input((16, 16, 3))
    return inputs, layers.Conv2D(24, 3, padding="same", use_bias=False)(layers.Rescaling(1 / 127.5, -1)(inputs))


def end(inputs: Any, x: Any) -> Any:
    return keras.Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x)))


def preactivation_resnet() -> Any:
    inputs, x = start()
    for filters, strides in ((24, 1), (32, 2)):
        y = act(x)
        x = x if strides == 1 else layers.Conv2D(filters, 1, strides, use_bias=False)(y)
        y = act(layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(y))
        x = layers.Add()([x, layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)])
    return end(inputs, act(x))


def densenet() -> Any:
    inputs, x = start()
    for _ in range(2):
        y = layers.Conv2D(16, 1, use_bias=False)(act(x))
        x = layers.Concatenate()([x, layers.Conv2D(8, 3, padding="same", use_bias=False)(act(y))])
    return end(inputs, act(layers.AveragePooling2D(2)(layers.Conv2D(20, 1, use_bias=False)(act(x)))))


def shufflenet() -> Any:
    inputs, x = start()
    x = act(x)
    for strides in (1, 2):
        y = act(layers.Conv2D(12, 1, groups=3, use_bias=False)(x))
        height, width, channels = y.shape[1:]
        y = layers.Permute((1, 2, 4, 3))(layers.Reshape((height, width, 3, channels // 3))(y))
        y = layers.Reshape((height, width, channels))(y)
        y = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)(y)
        y = layers.Conv2D(24, 1, groups=3, use_bias=False)(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(y)
        short = layers.AveragePooling2D(3, 2, padding="same")(x) if strides == 2 else x
        x = layers.ReLU()((layers.Add() if strides == 1 else layers.Concatenate())([short, y]))
    return end(inputs, x)


def inception() -> Any:
    inputs, x = start()
    x = act(x)
    wide = layers.Conv2D(8, (3, 1), padding="same")(layers.Conv2D(8, (1, 3), padding="same", activation="relu")(x))
    pooled = layers.Conv2D(8, 1, activation="relu")(layers.MaxPooling2D(3, 1, padding="same")(x))
    return end(inputs, layers.Concatenate()([layers.Conv2D(8, 1, activation="relu")(x), wide, pooled]))


def binary_densenet() -> Any:
    inputs, x = start()
    x = layers.Conv2D(32, 1)(act(x))
    y = layers.BatchNormalization()(x)
    y = QuantConv2D(32, 3, padding="same", pad_values=1, **BINARY)(y)
    x = layers.Concatenate()([x, layers.BatchNormalization()(y)])
    x = layers.ReLU()(layers.MaxPooling2D(2)(layers.BatchNormalization()(x)))
    return end(inputs, layers.Conv2D(16, 1, use_bias=False)(x))


@pytest.mark.parametrize("make", [preactivation_resnet, densenet, shufflenet, inception, binary_densenet])
def test_networks_are_exact(make: Callable[[], Any]) -> None:
    assert_exact_and_integer(shaken(make))


def mobilenet_v3(size: str, minimalistic: bool = False, side: int = 32) -> Any:
    make = {"small": keras.applications.MobileNetV3Small, "large": keras.applications.MobileNetV3Large}[size]
    return make(
        (side, side, 3), alpha=0.25, minimalistic=minimalistic, weights=None, classes=CLASSES,
        classifier_activation=None,
    )  # fmt: skip


def test_mobilenet_v3_small() -> None:
    """hard-swish, squeeze and excitation and Rescaling as keras.applications spells them."""
    found = assert_exact_and_integer(shaken(lambda: mobilenet_v3("small")))
    assert found.count("hard_swish") == 19
    assert set(found) == {"conv_2d", "depthwise_conv_2d", "hard_swish", "mean", "mul", "add", "reshape"}


@pytest.mark.slow
@pytest.mark.parametrize(("size", "minimalistic"), [("large", False), ("large", True), ("small", True)])
def test_other_mobilenets_v3(size: str, minimalistic: bool) -> None:
    assert_exact_and_integer(shaken(lambda: mobilenet_v3(size, minimalistic, side=64)))


@pytest.mark.slow
def test_efficientnet_b0() -> None:
    make = keras.applications.EfficientNetB0
    model = shaken(lambda: make(input_shape=(32, 32, 3), weights=None, classes=CLASSES, classifier_activation=None))
    found = assert_exact_and_integer(model)
    assert {"logistic", "mul"} <= set(found)


def backbone_and_head(frozen: bool = False) -> Any:
    backbone = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, include_top=False)
    backbone.trainable = not frozen
    shake_normalizations(backbone, SEED)
    head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(CLASSES, name="head")]
    return keras.Sequential([layers.Input((32, 32, 3)), layers.Rescaling(1 / 127.5, -1), backbone, *head])


@pytest.mark.slow
def test_nested_backbone() -> None:
    keras.utils.set_random_seed(SEED)
    assert_exact_and_integer(backbone_and_head())


@pytest.mark.slow
def test_a_frozen_backbone_stays_as_it_is() -> None:
    keras.utils.set_random_seed(SEED)
    aware = quantize_aware(backbone_and_head(frozen=True))
    assert {weight.name.split("/")[0] for weight in aware.trainable_weights} == {"int8_head"}
    (kernel,) = (weight for weight in aware.get_layer("int8_Conv1").weights if "kernel:" in weight.name)
    before = kernel.numpy().copy()
    aware.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    aware.fit(*colours(32), verbose=0)
    np.testing.assert_array_equal(kernel.numpy(), before)


def test_mixed_precision_is_trained_in_float32() -> None:
    keras.utils.set_random_seed(SEED)
    inputs = layers.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, activation="swish", dtype="mixed_float16")(inputs)
    x = layers.Dense(CLASSES, dtype="mixed_float16")(layers.GlobalAveragePooling2D(dtype="mixed_float16")(x))
    model = keras.Model(inputs, layers.Activation("linear", dtype="float32")(x))
    aware = quantize_aware(model)
    assert {layer.compute_dtype for layer in aware.layers} == {"float32"}
