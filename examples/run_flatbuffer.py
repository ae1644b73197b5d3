"""Run a flatbuffer in Python on a stock runtime, and see what it holds."""

import numpy as np

import tfkit
from tfkit import models
from tfkit.runtime import Interpreter

model = models.build("quicknet", input_shape=(64, 64, 3), classes=10, seed=1)
flatbuffer = tfkit.convert(model, format="lce").flatbuffer

interpreter = Interpreter(flatbuffer)  # backend="tflite_runtime" runs it on the older runtime
for tensor in (*interpreter.inputs, *interpreter.outputs):
    print(tensor.name, tensor.dtype, tensor.shape)

images = np.random.default_rng(0).uniform(-1, 1, (3, 64, 64, 3)).astype(np.float32)
print(interpreter.predict(images).argmax(axis=1))
