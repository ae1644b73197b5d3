"""The only file that knows TFLite's schema: check, parse, edit and write flatbuffers. Imports no TensorFlow."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from tfkit._errors import ModelError
from tfkit.converters.graph import Graph, Model, Op, Quantization, Signature, SparseDim, Sparsity, Tensor
from tfkit.converters.semantics import check_model
from tfkit.converters.verifier import Choice, Field, Scalar, Schema, Table, Tables, Text, Vector, Verifier

IDENTIFIER = b"TFL3"
MAX_BYTES = 2**31 - 1  # flatbuffers' own limit: offsets are signed 32 bit in places
BUFFER_ALIGNMENT = 16  # `force_align: 16` of Buffer.data in the schema; kernels load weights with aligned instructions

_Fields = dict[int, Field]

# fmt: off
_OPTIONS: dict[int, _Fields] = {
    3: {1: Vector(4), 2: Vector(4)},  # ConcatEmbeddings
    8: {5: Vector(1)},  # FullyConnected: quant_spec
    17: {0: Vector(4)},  # Reshape: new_shape
    30: {0: Vector(4)},  # Squeeze
    111: {0: Text(), 1: Text()},  # VarHandle
    115: {0: Vector(4)},  # Bucketize
}
_OPTIONS_2: dict[int, _Fields] = {
    2: {0: Vector(8)},  # StablehloBroadcastInDim
    3: {0: Vector(8), 1: Vector(8), 2: Vector(8)},  # StablehloSlice
    4: {  # StablehloConvolution
        0: Vector(8), 1: Vector(8), 2: Vector(8), 3: Vector(8), 4: Vector(1),
        7: Vector(8), 10: Vector(8), 13: Vector(8), 16: Vector(4),
    },
    5: {0: Text(), 2: Text(), 4: Vector(4), 5: Vector(1)},  # StablehloCustomCall
    6: {0: Vector(8)},  # StablehloReduce
    7: {1: Vector(8), 2: Vector(8), 3: Vector(8)},  # StablehloScatter
    9: {0: Vector(8)},  # StablehloDynamicSlice
    10: {0: Vector(8), 1: Vector(8), 2: Vector(8)},  # StablehloPad
    12: {0: Vector(8), 1: Vector(8), 2: Vector(8), 3: Vector(8), 4: Vector(4)},  # StablehloDotGeneral
    13: {0: Vector(8), 1: Vector(8), 2: Vector(8), 3: Vector(8), 4: Vector(8)},  # StablehloReduceWindow
    16: {0: Vector(8), 1: Vector(8), 2: Vector(8), 4: Vector(8)},  # StablehloGather
    17: {0: Vector(8)},  # StablehloTranspose
    21: {0: Text(), 2: Vector(1)},  # StableHLOComposite
    23: {0: Vector(4)},  # StablehloCase
}
_INDEX_VECTOR: Field = Choice({1: "Int32Vector", 2: "Uint16Vector", 3: "Uint8Vector"})

# Table -> slot -> field, everything that holds an offset or that a reader takes for granted.
SCHEMA: Schema = {
    "Model": {
        0: Scalar(4), 1: Tables("OperatorCode"), 2: Tables("SubGraph"), 3: Text(), 4: Tables("Buffer"),
        5: Vector(4), 6: Tables("Metadata"), 7: Tables("SignatureDef"), 8: Tables("Group"), 9: Tables("External"),
    },
    "OperatorCode": {0: Scalar(1), 1: Text(), 2: Scalar(4), 3: Scalar(4)},
    "SubGraph": {0: Tables("Tensor"), 1: Vector(4), 2: Vector(4), 3: Tables("Operator"), 4: Text(), 5: Scalar(4)},
    "Buffer": {0: Vector(1), 1: Scalar(8), 2: Scalar(8)},
    "Metadata": {0: Text(), 1: Scalar(4)},
    "SignatureDef": {0: Tables("TensorMap"), 1: Tables("TensorMap"), 2: Text(), 4: Scalar(4)},
    "TensorMap": {0: Text(), 1: Scalar(4)},
    "Group": {0: Text()},
    "External": {0: Scalar(4), 1: Scalar(4), 2: Scalar(8), 3: Scalar(8), 4: Text()},
    "Tensor": {
        0: Vector(4), 1: Scalar(1), 2: Scalar(4), 3: Text(), 4: Table("Quantization"), 5: Scalar(1),
        6: Table("Sparsity"), 7: Vector(4), 8: Scalar(1), 9: Tables("Variant"), 10: Scalar(4),
    },
    "Variant": {0: Vector(4), 1: Scalar(1), 2: Scalar(1)},
    "Quantization": {
        0: Vector(4), 1: Vector(4), 2: Vector(4), 3: Vector(8), 4: Scalar(1),
        5: Choice({1: "CustomQuantization", 2: "Blockwise", 3: "MultiAxis"}), 6: Scalar(4),
    },
    "CustomQuantization": {0: Vector(1)},
    "Blockwise": {3: Vector(4)},
    "MultiAxis": {3: Vector(4)},
    "Sparsity": {0: Vector(4), 1: Vector(4), 2: Tables("DimensionMetadata")},
    "DimensionMetadata": {0: Scalar(1), 1: Scalar(4), 2: Scalar(1), 3: _INDEX_VECTOR, 4: Scalar(1), 5: _INDEX_VECTOR},
    "Int32Vector": {0: Vector(4)},
    "Uint16Vector": {0: Vector(2)},
    "Uint8Vector": {0: Vector(1)},
    "Operator": {
        0: Scalar(4), 1: Vector(4), 2: Vector(4), 3: Scalar(1),
        4: Choice({number: f"option {number}" for number in _OPTIONS}),
        5: Vector(1), 6: Scalar(1), 7: Vector(1), 8: Vector(4), 9: Scalar(8), 10: Scalar(8), 11: Scalar(1),
        12: Choice({number: f"option2 {number}" for number in _OPTIONS_2}), 13: Scalar(4),
    },
    **{f"option {number}": fields for number, fields in _OPTIONS.items()},
    **{f"option2 {number}": fields for number, fields in _OPTIONS_2.items()},
}
# fmt: on


def _names(enum: type) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}


BUILTINS = _names(schema.BuiltinOperator)
TYPES = _names(schema.TensorType)


def check(data: bytes) -> None:
    """Verify a flatbuffer of unknown origin: structure, indices, constants, options that kernels divide by.

    Raises:
        ModelError: truncated, foreign, too large or inconsistent; says where.
    """
    _parsed(bytes(data))


def parse(data: bytes) -> Model:
    """The typed view of a flatbuffer, checked first.

    Raises:
        ModelError: as ``check``.
    """
    return _parsed(bytes(data))


@functools.lru_cache(maxsize=4)
def _parsed(data: bytes) -> Model:
    if len(data) > MAX_BYTES:
        raise ModelError(f"the flatbuffer has {len(data)} bytes; the format ends at {MAX_BYTES}")
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise ModelError(
            f"this is not a TFLite flatbuffer: bytes 4 to 8 are {data[4:8]!r}, not {IDENTIFIER!r}; give a .tflite file"
        )
    Verifier(data, SCHEMA).run("Model")
    try:
        model = _typed(_unpack(data), data)
    except (struct.error, IndexError, ValueError, TypeError, OverflowError, UnicodeDecodeError) as error:
        raise ModelError(f"the flatbuffer is damaged: {error}") from error
    check_model(model)
    return model


def _unpack(data: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(data, 0)


def _text(value: bytes | str | None) -> str:
    return (
        value.decode("utf-8") if isinstance(value, bytes) else value or ""
    )  # the runtimes' Python refuses other bytes


def _integers(values: Any) -> tuple[int, ...]:
    return () if values is None else tuple(int(v) for v in values)


def _listed(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _typed(model: Any, data: bytes) -> Model:
    """ModelT -> Model. Indices are checked where they are followed; their meaning is checked in semantics.py."""
    buffers = [_buffer(buffer, data) for buffer in _listed(model.buffers)]
    codes = _listed(model.operatorCodes)
    graphs = tuple(_graph(graph, buffers, codes) for graph in _listed(model.subgraphs))
    if not graphs:
        raise ModelError("the flatbuffer holds no graph")
    metadata = {}
    for entry in _listed(model.metadata):
        content = _item(buffers, entry.buffer, "metadata buffer")
        metadata[_text(entry.name)] = b"" if content is None else content.tobytes()
    signatures = tuple(_signature(s) for s in _listed(model.signatureDefs))
    return Model(_text(model.description), graphs, metadata, signatures)


def _item(values: Sequence[Any], index: int, what: str) -> Any:
    if not 0 <= index < len(values):
        raise ModelError(f"the flatbuffer is damaged: {what} {index} of {len(values)}")
    return values[index]


def _buffer(buffer: Any, data: bytes) -> np.ndarray | None:
    if buffer.offset > 1:  # data behind the flatbuffer, in files near the size limit
        if buffer.offset + buffer.size > len(data):
            raise ModelError(f"the flatbuffer is damaged: a buffer at {buffer.offset} reaches outside the file")
        return np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
    if buffer.data is None or len(buffer.data) == 0:
        return None
    return np.asarray(buffer.data, np.uint8)


def _graph(graph: Any, buffers: Sequence[np.ndarray | None], codes: Sequence[Any]) -> Graph:
    tensors = tuple(_tensor(t, buffers) for t in _listed(graph.tensors))
    ops = tuple(_op(o, codes) for o in _listed(graph.operators))
    return Graph(_text(graph.name), tensors, ops, _integers(graph.inputs), _integers(graph.outputs))


def _tensor(tensor: Any, buffers: Sequence[np.ndarray | None]) -> Tensor:
    shape = _integers(tensor.shape)
    return Tensor(
        name=_text(tensor.name),
        type=TYPES.get(tensor.type, f"type {tensor.type}"),
        shape=shape,
        shape_signature=_integers(tensor.shapeSignature) or shape,
        quantization=_quantization(tensor.quantization),
        sparsity=_sparsity(tensor.sparsity),
        is_variable=bool(tensor.isVariable),
        data=_item(buffers, tensor.buffer, "tensor buffer"),
        buffer=tensor.buffer,
    )


def _quantization(found: Any) -> Quantization | None:
    if found is None or found.scale is None or len(found.scale) == 0:
        return None
    zero_point = np.zeros(len(found.scale), np.int64) if found.zeroPoint is None else np.asarray(found.zeroPoint)
    return Quantization(np.asarray(found.scale, np.float32), zero_point, int(found.quantizedDimension))


def _sparsity(found: Any) -> Sparsity | None:
    if found is None:
        return None
    dims = []
    for dim in _listed(found.dimMetadata):
        if dim.format == schema.DimensionType.DENSE:
            dims.append(SparseDim(int(dim.denseSize)))
        else:
            if dim.arraySegments is None or dim.arrayIndices is None:
                raise ModelError("the flatbuffer is damaged: a sparse dimension without segments or indices")
            segments, indices = (
                np.asarray(_integers(part.values), np.int64) for part in (dim.arraySegments, dim.arrayIndices)
            )
            dims.append(SparseDim(int(dim.denseSize), segments, indices))
    return Sparsity(_integers(found.traversalOrder), _integers(found.blockMap), tuple(dims))


def _op(op: Any, codes: Sequence[Any]) -> Op:
    code = _item(codes, op.opcodeIndex, "operator code")
    # Old files have the number in the deprecated one-byte field, new ones in both or only in the wide one.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    is_custom = number == schema.BuiltinOperator.CUSTOM
    options = op.builtinOptions if op.builtinOptions is not None else op.builtinOptions2
    return Op(
        name=_text(code.customCode) if is_custom else BUILTINS.get(number, f"builtin {number}"),
        is_custom=is_custom,
        version=int(code.version),
        inputs=_integers(op.inputs),
        outputs=_integers(op.outputs),
        options={} if options is None else vars(options),
        custom_options=b"" if op.customOptions is None else bytes(bytearray(op.customOptions)),
    )


def _signature(signature: Any) -> Signature:
    def table(entries: Any) -> dict[str, int]:
        return {_text(entry.name): int(entry.tensorIndex) for entry in _listed(entries)}

    return Signature(
        _text(signature.signatureKey),
        int(signature.subgraphIndex),
        table(signature.inputs),
        table(signature.outputs),
    )


def custom_options(op: Op) -> dict[str, Any]:
    """The FlexBuffer map of a custom op; empty when there is none.

    Raises:
        ModelError: the bytes are no FlexBuffer map.
    """
    if not op.custom_options:
        return {}
    try:
        found = flexbuffers.Loads(op.custom_options)
    except Exception as error:  # flexbuffers raises whatever the bytes lead it to
        raise ModelError(f"the options of {op.name} are damaged: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"the options of {op.name} are no map but {type(found).__name__}")
    return found


class _Builder(flatbuffers.Builder):
    """Aligns byte vectors as the schema's ``force_align`` asks, which the generated Python code does not."""

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        if x.dtype == np.uint8 and x.size:
            self.Prep(BUFFER_ALIGNMENT, x.size)
        return int(super().CreateNumpyVector(x))


class Edit:
    """Changes to a flatbuffer that this process made; ``serialize`` writes it whole."""

    def __init__(self, data: bytes) -> None:
        check(data)
        self._model = _unpack(bytes(data))

    def describe(self, text: str) -> None:
        """Set the model's description."""
        self._model.description = text

    def set_metadata(self, name: str, content: bytes) -> None:
        """Add a metadata entry, or replace the one of that name."""
        buffer = schema.BufferT(data=np.frombuffer(content, np.uint8))
        self._model.buffers.append(buffer)
        entry = schema.MetadataT(name=name, buffer=len(self._model.buffers) - 1)
        kept = [m for m in _listed(self._model.metadata) if _text(m.name) != name]
        self._model.metadata = [*kept, entry]

    def name_ends(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Name the main graph's inputs and outputs, in their order, as tensors and as signature ``serving_default``."""
        graph = self._model.subgraphs[0]
        taken = set(inputs)
        for names, indices in ((inputs, graph.inputs), (outputs, graph.outputs)):
            for name, index in zip(names, indices, strict=True):
                # An output may carry an input's name, or be an input; tensors keep distinct names.
                if names is inputs or (name not in taken and index not in set(graph.inputs)):
                    graph.tensors[index].name = name
        maps = [
            [schema.TensorMapT(name=n, tensorIndex=int(i)) for n, i in zip(names, indices, strict=True)]
            for names, indices in ((inputs, graph.inputs), (outputs, graph.outputs))
        ]
        self._model.signatureDefs = [
            schema.SignatureDefT(inputs=maps[0], outputs=maps[1], signatureKey="serving_default", subgraphIndex=0)
        ]

    def order_ends(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Put the main graph's inputs and outputs (tensor indices) into this order; outputs may be added."""
        graph = self._model.subgraphs[0]
        graph.inputs, graph.outputs = (np.asarray(i, np.int32) for i in (inputs, outputs))

    def requantize(self, tensor: int, integers: np.ndarray, scales: np.ndarray) -> None:
        """Give a quantized constant of the main graph other integers, in its order and type, and scales."""
        found = self._model.subgraphs[0].tensors[tensor]
        self._drop_data(found)
        self._model.buffers.append(schema.BufferT(data=np.ascontiguousarray(integers).ravel().view(np.uint8)))
        found.buffer = len(self._model.buffers) - 1
        quantization = found.quantization
        quantization.min = quantization.max = None
        quantization.scale = np.asarray(scales, np.float32)
        quantization.zeroPoint = np.zeros(len(quantization.scale), np.int64)

    def compute(self, tensor: int, op: str, inputs: Sequence[np.ndarray | None], options: Mapping[str, int]) -> None:
        """Let the custom ``op`` make a constant of the main graph out of smaller ones (int32 or float32; None: absent).

        It runs before all other ops; what the file held in the constant's place goes.
        """
        graph = self._model.subgraphs[0]
        self._drop_data(graph.tensors[tensor])
        name = _text(graph.tensors[tensor].name)
        indices = []
        for number, values in enumerate(inputs):
            indices.append(-1 if values is None else self._add_constant(f"{name}/packed_{number}", values))
        node = schema.OperatorT(
            opcodeIndex=self._custom_code(op),
            inputs=np.asarray(indices, np.int32),
            outputs=np.asarray([tensor], np.int32),
            customOptions=np.frombuffer(bytes(flexbuffers.Dumps(dict(options))), np.uint8),
        )
        graph.operators = [node, *graph.operators]

    def _drop_data(self, tensor: Any) -> None:
        """Make a constant a computed tensor; its bytes stay only for others that share them."""
        old, tensor.buffer = tensor.buffer, 0
        tensors = [t for graph in self._model.subgraphs for t in _listed(graph.tensors)]
        metadata = [entry.buffer for entry in _listed(self._model.metadata)]
        if old not in metadata and all(t.buffer != old for t in tensors):
            self._model.buffers[old].data = None

    def _add_constant(self, name: str, values: np.ndarray) -> int:
        types = {"i": schema.TensorType.INT32, "f": schema.TensorType.FLOAT32}
        stored = np.ascontiguousarray(values, "<i4" if values.dtype.kind == "i" else "<f4")
        self._model.buffers.append(schema.BufferT(data=stored.ravel().view(np.uint8)))
        tensor = schema.TensorT(
            shape=np.asarray(stored.shape, np.int32),
            type=types[values.dtype.kind],
            buffer=len(self._model.buffers) - 1,
            name=name,
        )
        graph = self._model.subgraphs[0]
        graph.tensors = [*graph.tensors, tensor]
        return len(graph.tensors) - 1

    def _custom_code(self, name: str) -> int:
        """The index of a custom op's code, which is added where the file has none."""
        codes = self._model.operatorCodes
        for index, code in enumerate(codes):
            if code.customCode is not None and _text(code.customCode) == name:
                return index
        custom = schema.BuiltinOperator.CUSTOM
        codes.append(schema.OperatorCodeT(builtinCode=custom, deprecatedBuiltinCode=custom, customCode=name, version=1))
        return len(codes) - 1

    def keep_only(self, ops: Iterable[int]) -> None:
        """Drop all ops of the main graph but these (indices); signatures, which name lost tensors, go too."""
        graph = self._model.subgraphs[0]
        graph.operators = [graph.operators[i] for i in sorted(ops)]
        self._model.subgraphs = [graph]
        self._model.signatureDefs = None
        self._model.metadata = None
        self._model.metadataBuffer = None
        self._compact()

    def _compact(self) -> None:
        """Drop tensors and buffers that nothing refers to, so that a one-op model is as small as its op.

        For models of one graph.
        """
        graph = self._model.subgraphs[0]
        used = {*_integers(graph.inputs), *_integers(graph.outputs)}
        for op in graph.operators:
            used |= {*_integers(op.inputs), *_integers(op.outputs), *_integers(op.intermediates)}
        kept = sorted(used - {-1})
        new = {old: i for i, old in enumerate(kept)} | {-1: -1}

        def renumber(indices: Any) -> np.ndarray:
            return np.asarray([new[i] for i in _integers(indices)], np.int32)

        buffers = [schema.BufferT()]  # buffer 0 means "no data"
        moved = {0: 0}  # constants of equal value may share a buffer

        def move(buffer: int) -> int:
            if buffer not in moved:
                moved[buffer] = len(buffers)
                buffers.append(self._model.buffers[buffer])
            return moved[buffer]

        graph.tensors = [graph.tensors[i] for i in kept]
        for holder in (*graph.tensors, *_listed(self._model.metadata)):
            holder.buffer = move(holder.buffer)
        self._model.buffers = buffers
        for signature in _listed(self._model.signatureDefs):
            for entry in (*_listed(signature.inputs), *_listed(signature.outputs)):
                entry.tensorIndex = new[entry.tensorIndex]
        graph.inputs, graph.outputs = renumber(graph.inputs), renumber(graph.outputs)
        for op in graph.operators:
            op.inputs, op.outputs = renumber(op.inputs), renumber(op.outputs)
            op.intermediates = None if op.intermediates is None else renumber(op.intermediates)

    def serialize(self) -> bytes:
        """The edited flatbuffer."""
        builder = _Builder(1024)
        builder.Finish(self._model.Pack(builder), file_identifier=IDENTIFIER)
        return bytes(builder.Output())


def with_outputs(data: bytes, tensors: Sequence[int]) -> bytes:
    """The same model with these tensors as outputs after its own, so that any runtime hands them out."""
    edit = Edit(data)
    graph = parse(data).main
    edit.order_ends(graph.inputs, [*graph.outputs, *tensors])
    return edit.serialize()


def extract(data: bytes, ops: Iterable[int], inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """A model of some ops of the main graph, fed at ``inputs`` and read at ``outputs`` (tensor indices)."""
    edit = Edit(data)
    edit.order_ends(inputs, outputs)
    edit.keep_only(ops)
    return edit.serialize()


def set_metadata(data: bytes, entries: Mapping[str, bytes]) -> bytes:
    """The same model with metadata entries added or replaced."""
    edit = Edit(data)
    for name, content in entries.items():
        edit.set_metadata(name, content)
    return edit.serialize()
