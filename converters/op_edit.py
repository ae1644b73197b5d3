"""Ops of a flatbuffer exchanged for others: what passes over the converted graph write with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from tfkit.converters.flatbuffer import Edit

_TYPES = {name: getattr(schema.TensorType, name) for name in ("FLOAT32", "INT32", "INT16")}
_BUILTINS = {"RELU": schema.BuiltinOperator.RELU, "RESHAPE": schema.BuiltinOperator.RESHAPE}


class OpEdit(Edit):
    """Changes to the ops of a model of one graph; indices of ops and tensors are the file's until ``serialize``."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._graph = self._model.subgraphs[0]
        self._dropped: set[int] = set()

    def tensor(self, name: str, type: str, shape: Sequence[int]) -> int:
        """A new tensor's index."""
        self._graph.tensors.append(
            schema.TensorT(name=name, type=_TYPES[type], shape=np.asarray(shape, np.int32), buffer=0, hasRank=True)
        )
        return len(self._graph.tensors) - 1

    def constant(self, name: str, values: np.ndarray) -> int:
        """The index of a new constant, float32, int32 or int16."""
        index = self.tensor(name, values.dtype.name.upper(), values.shape)
        self._model.buffers.append(schema.BufferT(data=np.ascontiguousarray(values).ravel().view(np.uint8)))
        self._graph.tensors[index].buffer = len(self._model.buffers) - 1
        return index

    def reshape(self, tensor: int, shape: Sequence[int]) -> None:
        """Give a tensor another shape."""
        self._graph.tensors[tensor].shape = np.asarray(shape, np.int32)
        self._graph.tensors[tensor].shapeSignature = None

    def custom(
        self, op: int, name: str, inputs: Sequence[int], outputs: Sequence[int], options: Mapping[str, int]
    ) -> None:
        """Put a custom op in the place of an op."""
        self._exchange(op, self._custom_code(name), inputs, outputs)
        self.set_options(op, options)

    def builtin(self, op: int, name: str, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Put a builtin op without options in the place of an op."""
        self._exchange(op, self._builtin_code(_BUILTINS[name]), inputs, outputs)

    def options_of(self, op: int) -> dict[str, int]:
        """The options of a custom op as they stand now."""
        return dict(flexbuffers.Loads(bytes(bytearray(self._graph.operators[op].customOptions))))

    def set_options(self, op: int, options: Mapping[str, int]) -> None:
        """Replace a custom op's options."""
        stored = flexbuffers.Dumps(dict(sorted(options.items())))
        self._graph.operators[op].customOptions = np.frombuffer(bytes(stored), np.uint8)

    def rewire(self, op: int, inputs: Sequence[int]) -> None:
        """Let an op read other tensors."""
        self._graph.operators[op].inputs = np.asarray(inputs, np.int32)

    def write_to(self, op: int, output: int) -> None:
        """Let an op of one output write another tensor."""
        self._graph.operators[op].outputs = np.asarray([output], np.int32)

    def drop(self, op: int) -> None:
        """Leave an op out."""
        self._dropped.add(op)

    def serialize(self) -> bytes:
        """The edited flatbuffer, without the tensors and constants that nothing refers to any more."""
        self._graph.operators = [op for n, op in enumerate(self._graph.operators) if n not in self._dropped]
        self._dropped = set()
        self._compact()
        return super().serialize()

    def _exchange(self, op: int, code: int, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        # In place of the old one, so that who reads stays behind who writes.
        self._graph.operators[op] = schema.OperatorT(
            opcodeIndex=code, inputs=np.asarray(inputs, np.int32), outputs=np.asarray(outputs, np.int32)
        )

    def _builtin_code(self, number: int) -> int:
        codes = self._model.operatorCodes
        for index, code in enumerate(codes):
            if code.builtinCode == number:
                return index
        codes.append(schema.OperatorCodeT(builtinCode=number, deprecatedBuiltinCode=number, version=1))
        return len(codes) - 1
