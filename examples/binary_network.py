"""Train a binary network with tfkit's layers and convert it for a stock runtime."""

import numpy as np

import tfkit  # before TensorFlow, so that tf.keras is the Keras that Larq and TF-MOT need
from tfkit import data, training
from tfkit.layers import QuantConv2D
from tfkit.metadata import ModelMetadata, Preprocessing, attach_metadata
from tfkit.runtime import Interpreter

import tensorflow as tf  # isort: skip

keras = tf.keras
digits = data.load("digits")
SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def binary_conv(x, filters):
    """Sign of the inputs, binary kernel, and the shortcut that lets gradients pass."""
    y = QuantConv2D(filters, 3, padding="same", use_bias=False, **SIGNS)(x)
    return keras.layers.Add()([keras.layers.BatchNormalization(momentum=0.9)(y), x])


inputs = keras.Input((8, 8, 1))
x = keras.layers.Conv2D(32, 3, padding="same", use_bias=False)(inputs)  # few channels: left in float
x = keras.layers.BatchNormalization(momentum=0.9)(x)
x = binary_conv(binary_conv(x, 32), 32)
x = keras.layers.GlobalAveragePooling2D()(x)
model = keras.Model(inputs, keras.layers.Dense(10)(x))

# Grey levels 0 to 16 become 0 to 1, here and wherever the model goes.
attach_metadata(model, ModelMetadata("binary_digits", "binary", Preprocessing(1 / 16, 0.0, 0.0, 16.0)))
training.fit(model, digits, epochs=5, seed=1)

conversion = tfkit.convert(model, format="lce", data="digits", strict=True)
print(conversion.ledger.table())
print(conversion.parity.summary)
conversion.save("binary.tflite")

outputs = Interpreter("binary.tflite").predict(digits.x_test / 16)
print(f"accuracy of the flatbuffer: {np.mean(outputs.argmax(axis=1) == digits.y_test):.1%}")
