"""Convert a quantization-aware model to int8 and compare it with Keras, step by step of the output scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.layers import is_binary_layer
from tfkit.runtime import Interpreter


def flatbuffer(model: Any) -> bytes:
    """An int8 flatbuffer by the underlying converter that the layers ask for, without tfkit's own passes."""
    import tensorflow as tf

    if any(is_binary_layer(layer) for layer in model.layers):
        import larq_compute_engine as lce

        return bytes(lce.convert_keras_model(model, inference_input_type=tf.int8, inference_output_type=tf.int8))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def ops(data: bytes) -> list[str]:
    """``NAME:TYPE`` of every op and its result, in order."""
    from tfkit.converters import flatbuffer as schema

    (graph,) = schema.parse(data).graphs
    return [f"{op.name}:{graph.tensors[op.outputs[0]].type}".lower() for op in graph.ops]


def steps_apart(model: Any, data: bytes, x: np.ndarray) -> np.ndarray:
    """|flatbuffer - Keras| in steps (LSB) of the int8 output, one per output value; ``x`` as the network takes it."""
    interpreter = Interpreter(data)
    given, result = interpreter.inputs[0], interpreter.outputs[0]
    assert given.scale is not None
    assert given.zero_point is not None
    assert result.scale is not None
    assert result.zero_point is not None
    quantized = np.clip(np.floor(x / given.scale + 0.5) + given.zero_point, -128, 127).astype(np.int8)
    got = np.asarray(interpreter.predict(quantized)).reshape(len(x), -1).astype(int)
    keras = np.round(model.predict(x, verbose=0).reshape(len(x), -1) / result.scale) + result.zero_point
    return np.abs(got - keras)
