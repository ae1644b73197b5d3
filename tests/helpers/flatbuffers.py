"""Small flatbuffers of the stock converters (golden/write_flatbuffers.py), and edits of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from helpers.lce_graph import pack, unpack

GOLDEN = Path(__file__).parents[1] / "golden" / "flatbuffers"


def golden(name: str) -> Path:
    """Path of a committed flatbuffer."""
    return GOLDEN / f"{name}.tflite"


def with_outputs(flatbuffer: bytes, outputs: Sequence[int]) -> bytes:
    """The same network with other tensors as its outputs, intermediate ones among them."""
    model = unpack(flatbuffer)
    model.subgraphs[0].outputs = list(outputs)
    model.signatureDefs = None
    return pack(model)


def with_custom_op_renamed(flatbuffer: bytes, old: str, new: str) -> bytes:
    """The same network with one custom op under another name."""
    model = unpack(flatbuffer)
    renamed = [code for code in model.operatorCodes if code.customCode in (old, old.encode())]
    assert renamed, old
    for code in renamed:
        code.customCode = new
    return pack(model)


def without_custom_options(flatbuffer: bytes) -> bytes:
    """The same network whose custom ops have lost their options."""
    model = unpack(flatbuffer)
    for operator in model.subgraphs[0].operators:
        operator.customOptions = None
    return pack(model)


def identity(dtype: str, shape: Sequence[int]) -> bytes:
    """A network of one RESHAPE to the shape it has already: the output's bytes are the input's."""
    tensors = [_tensor(dtype, shape, "in"), _tensor("int32", (len(shape),), "shape", 1), _tensor(dtype, shape, "out")]
    return _one_op("RESHAPE", tensors, np.asarray(shape, np.int32), [0, 1])


def gather(table: np.ndarray) -> bytes:
    """A network of one GATHER from a constant table of floats; an index outside the table fails while running."""
    tensors = [
        _tensor("int32", (1,), "index"),
        _tensor("float32", table.shape, "table", 1),
        _tensor("float32", (1,), "out"),
    ]
    return _one_op("GATHER", tensors, table.astype(np.float32), [1, 0], schema.GatherOptionsT())


def int8_function(
    name: str, given: tuple[float, int], made: tuple[float, int], shape: Sequence[int], options: Any = None
) -> bytes:
    """A network of one op of one int8 tensor; ``given`` and ``made`` are (scale, zero point) of input and output."""
    tensors = [_tensor("int8", shape, "in"), _tensor("int32", (1,), "unused", 1), _tensor("int8", shape, "out")]
    for tensor, (scale, zero_point) in ((tensors[0], given), (tensors[2], made)):
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
    return _one_op(name, tensors, np.zeros(1, np.int32), [0], options, version=1 if name == "HARD_SWISH" else 2)


def _one_op(
    name: str,
    tensors: list[schema.TensorT],
    constant: np.ndarray,
    order: list[int],
    options: Any = None,
    version: int = 1,
) -> bytes:
    """Tensor 0 is the network's input, 1 holds ``constant``, 2 is the output; ``order`` gives the op's inputs."""
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = np.frombuffer(constant.tobytes(), np.uint8)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
    code.version = version
    model.operatorCodes = [code]
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = order, [2]
    if options is not None:
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        operator.builtinOptions = options
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operator], [0], [2]
    model.subgraphs = [graph]
    return pack(model)


def _tensor(dtype: str, shape: Sequence[int], name: str, buffer: int = 0) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
    tensor.type = getattr(schema.TensorType, dtype.upper())
    return tensor
