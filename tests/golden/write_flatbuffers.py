"""Rewrites tests/golden/flatbuffers/*.tflite: small models from the stock converters, which know nothing of tfkit.

Run from the repository's root: python tests/golden/write_flatbuffers.py
"""

from __future__ import annotations

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import larq as lq
import larq_compute_engine as lce
import numpy as np
import tensorflow as tf

FOLDER = Path(__file__).with_name("flatbuffers")
SEED = 7
layers = tf.keras.layers


def lively(model: Any) -> Any:
    """Batch norms with statistics as training leaves them, so that no sign is the same everywhere."""
    random = np.random.default_rng(SEED)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            channels = layer.gamma.shape[0]
            layer.set_weights(
                [
                    random.uniform(0.5, 1.5, channels),
                    random.normal(0, 0.3, channels),
                    random.normal(0, 1.0, channels),
                    random.uniform(0.5, 20.0, channels),
                ]
            )
    return model


def float_network() -> Any:
    image = layers.Input((8, 8, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    x = layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(image, layers.Dense(4, name="scores")(x))


def two_ended_network() -> Any:
    left, right = layers.Input((4,), name="left"), layers.Input((6,), name="right")
    both = layers.Dense(3, name="both")(layers.Concatenate()([left, right]))
    return tf.keras.Model([left, right], [both, layers.Dense(2, name="single")(left)])


def binary_conv(filters: int, size: int = 3, **arguments: Any) -> Any:
    quantizers = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    return lq.layers.QuantConv2D(filters, size, padding="same", pad_values=1, use_bias=False, **quantizers, **arguments)


def residual_binary_network() -> Any:
    """A float first layer, a binary residual block, binary pooling, a bitpacked chain, a float classifier."""
    image = layers.Input((12, 12, 3), name="image")
    x = layers.BatchNormalization()(layers.Conv2D(32, 3, padding="same", use_bias=False)(image))
    y = layers.BatchNormalization()(binary_conv(32)(x))
    x = layers.Add()([x, y])
    x = layers.MaxPool2D(2)(x)
    x = layers.BatchNormalization()(binary_conv(64, strides=2)(x))
    x = layers.BatchNormalization()(binary_conv(32, 1)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return lively(tf.keras.Model(image, layers.Dense(10, name="scores")(x)))


def binary_only_network() -> Any:
    """Nothing but binary convolutions and what folds into them, so that int8 ends have no stock op's rounding."""
    to_int8 = layers.Lambda(lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -3.0, 3.0))
    image = layers.Input((9, 7, 40), name="image")
    x = layers.BatchNormalization()(binary_conv(48, strides=2)(to_int8(image)))
    x = layers.BatchNormalization()(binary_conv(33)(x))
    return lively(tf.keras.Model(image, to_int8(x)))


def fixed_batch(model: Any) -> Any:
    specs = [tf.TensorSpec((1, *i.shape[1:]), name=i.name) for i in model.inputs]
    function = tf.function(lambda *inputs: model(list(inputs) if len(inputs) > 1 else inputs[0]), specs)
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], model)


def calibration() -> Iterator[list[np.ndarray]]:
    random = np.random.default_rng(SEED)
    for _ in range(20):
        yield [random.uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)]


def int8() -> bytes:
    converter = fixed_batch(float_network())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def new_op_version() -> bytes:
    """Dynamic quantization of a dense layer gives FULLY_CONNECTED version 12; tflite-runtime 2.14 ends at 11."""
    vector = layers.Input((64,), name="vector")
    converter = fixed_batch(tf.keras.Model(vector, layers.Dense(64)(vector)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


def lce_int8() -> bytes:
    return bytes(
        lce.convert_keras_model(binary_only_network(), inference_input_type=tf.int8, inference_output_type=tf.int8)
    )


FILES: dict[str, Callable[[], bytes]] = {
    "float32": lambda: bytes(fixed_batch(float_network()).convert()),
    "free_batch": lambda: bytes(tf.lite.TFLiteConverter.from_keras_model(float_network()).convert()),
    "int8": int8,
    "two_ends": lambda: bytes(fixed_batch(two_ended_network()).convert()),
    "new_op_version": new_op_version,
    "lce_float32": lambda: bytes(lce.convert_keras_model(residual_binary_network())),
    "lce_int8": lce_int8,
}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, build in FILES.items():
        tf.keras.utils.set_random_seed(SEED)
        tf.keras.backend.clear_session()
        (FOLDER / f"{name}.tflite").write_bytes(build())
