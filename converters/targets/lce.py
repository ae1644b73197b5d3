"""Binary flatbuffers by Larq Compute Engine's converter.

LCE's own ``convert_keras_model`` tries a SavedModel, swallows any failure and falls back to the frozen graph. Here
each has its place, so that an error is an error, and both take the batch as traced: the frozen graph, and the
SavedModel where there are composite ops (tfkit's few-bit ones), which freezing would inline.
"""

from __future__ import annotations

import tempfile
from typing import Any

from tfkit._errors import ConversionError, MissingToolError
from tfkit.converters.diagnostics import captured, reason
from tfkit.converters.targets.saved_ends import in_order

_FAKE_QUANT = "FakeQuant"


def convert(function: Any, *, io: str, composites: bool = False) -> tuple[bytes, list[str]]:
    """Convert a concrete function of fixed batch; returns the flatbuffer and MLIR's complaints along the way.

    ``composites``: some of its calls are packed ops, see ``passes.packed_calls``.

    Raises:
        ConversionError: with MLIR's own reason.
        MissingToolError: larq-compute-engine is not installed.
    """
    import tensorflow as tf

    with captured() as found:
        try:
            from larq_compute_engine.mlir import _tf_tfl_flatbuffer as native
            from larq_compute_engine.mlir.python.util import modify_integer_quantized_model_io_type
        except ImportError as error:
            raise MissingToolError(
                f"larq-compute-engine is not usable here ({error}); it has wheels for Python 3.10 to 3.12 on "
                "x86-64: pip install larq-compute-engine==0.16.0"
            ) from error
        try:
            flatbuffer = (_from_saved_model if composites else _from_frozen_graph)(native, function)
            if io == "int8":
                flatbuffer = modify_integer_quantized_model_io_type(
                    flatbuffer, inference_input_type=tf.int8, inference_output_type=tf.int8
                )
            result = bytes(flatbuffer)
            failure = None
        except Exception as error:
            failure = error
    if failure is not None:
        raise ConversionError(
            f"Larq Compute Engine's converter refused the model: {reason(failure, found)}"
        ) from failure
    return result, found.errors()


def _from_frozen_graph(native: Any, function: Any) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    inputs = [tensor for tensor in frozen.inputs if tensor.dtype != tf.resource]
    converted = native.convert_graphdef_to_tflite_flatbuffer(
        frozen.graph.as_graph_def().SerializeToString(),
        [_name(tensor) for tensor in inputs],
        [_type(tensor) for tensor in inputs],
        [tensor.shape.as_list() for tensor in inputs],
        [_name(tensor) for tensor in frozen.outputs],
        is_quantization_aware(function),
        "arm",
        None,
    )
    return bytes(converted)


def _from_saved_model(native: Any, function: Any) -> bytes:
    import tensorflow as tf

    module = tf.Module()
    module.function = function
    module.held = list(function.variables)  # a SavedModel refuses variables that it does not hold
    key = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={key: function})
        tags = [tf.saved_model.SERVING]
        flatbuffer = bytes(native.convert_saved_model_to_tflite_flatbuffer(folder, tags, [key], 1, "arm", None))
    return in_order(flatbuffer, function)


def is_quantization_aware(function: Any) -> bool:
    """Whether the graph holds fake-quantization nodes, in its body or in a function of its library."""
    graph = function.graph.as_graph_def()
    bodies = [graph.node, *(f.node_def for f in graph.library.function)]
    return any(node.op.startswith(_FAKE_QUANT) for body in bodies for node in body)


def _name(tensor: Any) -> str:
    return str(tensor.name).split(":")[0]


def _type(tensor: Any) -> str:
    from tensorflow.core.framework.types_pb2 import DataType

    return str(DataType.Name(tensor.dtype.as_datatype_enum))
