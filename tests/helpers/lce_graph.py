"""Small LCE flatbuffers written operator by operator, without a converter: milliseconds instead of seconds each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "int16": schema.TensorType.INT16,
    "int8": schema.TensorType.INT8,
}
ABSENT = -1
ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}


@dataclass
class LceGraph:
    """One subgraph under construction; `serialize` gives the flatbuffer."""

    model: schema.ModelT = field(default_factory=schema.ModelT)

    def __post_init__(self) -> None:
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        dtype: str,
        shape: Sequence[int],
        *,
        scale: float | None = None,
        zero_point: int = 0,
        signature: Sequence[int] | None = None,
    ) -> int:
        """A new tensor's index."""
        tensor = schema.TensorT()
        tensor.name = f"tensor_{len(self.graph.tensors)}"
        tensor.type, tensor.shape, tensor.buffer = _TYPES[dtype], list(shape), 0
        tensor.shapeSignature = None if signature is None else list(signature)
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, values: np.ndarray) -> int:
        """A new constant's index."""
        index = self.tensor(values.dtype.name, values.shape)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self.graph.tensors[index].buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        return index

    def custom(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: Mapping[str, int] | None = None
    ) -> None:
        """Append a custom operator."""
        code = schema.OperatorCodeT()
        code.builtinCode = schema.BuiltinOperator.CUSTOM
        code.deprecatedBuiltinCode = code.builtinCode
        code.customCode, code.version = name, 1
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        operator.customOptions = None if options is None else list(flexbuffers.Dumps(dict(sorted(options.items()))))
        self.graph.operators.append(operator)

    def builtin(self, name: str, inputs: Sequence[int], outputs: Sequence[int], kind: str, options: Any) -> None:
        """Append an operator of the runtime's own, with an options object of the schema and the name of its kind."""
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
        code.version = 1
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        operator.builtinOptions = options
        self.graph.operators.append(operator)

    def add(self, first: int, second: int, output: int, activation: str = "NONE") -> None:
        """Append the builtin ADD."""
        options = schema.AddOptionsT()
        options.fusedActivationFunction = ACTIVATIONS[activation]
        self.builtin("ADD", [first, second], [output], "AddOptions", options)

    def serialize(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The flatbuffer with these graph inputs and outputs."""
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        return pack(self.model)


def pack(model: schema.ModelT) -> bytes:
    """An edited object tree as a flatbuffer."""
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def unpack(flatbuffer: bytes) -> schema.ModelT:
    """A flatbuffer as an object tree to edit."""
    return schema.ModelT.InitFromPackedBuf(flatbuffer, 0)


def packed_words(channels: int) -> int:
    """32-bit words that hold this many bitpacked channels."""
    return -(-channels // 32)


def bitpack(signs: np.ndarray) -> np.ndarray:
    """Bitpack the last axis of an array: int32 words whose bit is set where the value is negative."""
    channels = signs.shape[-1]
    padded = np.zeros((*signs.shape[:-1], packed_words(channels) * 32), np.uint8)
    padded[..., :channels] = signs < 0
    return np.packbits(padded, axis=-1, bitorder="little").view("<i4")


@dataclass(frozen=True)
class Convolution:
    """Everything that defines a binary convolution, and seeded weights for it."""

    height: int = 5
    width: int = 5
    channels_in: int = 32
    channels_out: int = 8
    groups: int = 1
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "SAME"
    pad_values: int = 1
    activation: str = "NONE"
    output: str = "float32"  # float32, int8 or bitpacked
    seed: int = 0

    @property
    def depth(self) -> int:
        """Products summed in one output."""
        return self.kernel[0] * self.kernel[1] * self.channels_in // self.groups

    @property
    def output_size(self) -> tuple[int, int]:
        """Output height and width."""
        sizes = []
        image = (self.height, self.width)
        for size, taps, stride, dilation in zip(image, self.kernel, self.stride, self.dilation, strict=True):
            extent = (taps - 1) * dilation + 1 if self.padding == "VALID" else 1
            sizes.append(-(-(size - extent + 1) // stride))
        return sizes[0], sizes[1]

    def options(self) -> dict[str, int]:
        """The options as LCE writes them."""
        return {
            "channels_in": self.channels_in,
            "dilation_height_factor": self.dilation[0],
            "dilation_width_factor": self.dilation[1],
            "fused_activation_function": ACTIVATIONS[self.activation],
            "pad_values": self.pad_values,
            "padding": 0 if self.padding == "SAME" else 1,
            "stride_height": self.stride[0],
            "stride_width": self.stride[1],
        }

    def append_to(self, graph: LceGraph, source: int, *, batch: int = 1) -> int:
        """Append the operator, reading the bitpacked tensor `source`; returns its output."""
        random = np.random.default_rng(self.seed)
        weights = random.choice([-1, 1], (self.channels_out, *self.kernel, self.channels_in // self.groups))
        multiplier = random.uniform(-1.5, 1.5, self.channels_out).astype(np.float32) / np.float32(self.depth**0.5)
        bias = random.uniform(-1, 1, self.channels_out).astype(np.float32)
        threshold = (self.depth // 2 + random.integers(-3, 4, self.channels_out)).astype(np.int32)
        inputs = [source, graph.constant(bitpack(weights))]
        if self.output == "bitpacked":
            # LCE reads the multiplier, which it does not need here, whenever the padding is zero.
            unused = graph.constant(multiplier) if self.pad_values == 0 else ABSENT
            inputs += [unused, ABSENT, graph.constant(threshold)]
            target = graph.tensor("int32", (batch, *self.output_size, packed_words(self.channels_out)))
        else:
            inputs += [graph.constant(multiplier), graph.constant(bias), ABSENT]
            shape = (batch, *self.output_size, self.channels_out)
            scale = 0.037 if self.output == "int8" else None
            target = graph.tensor(self.output, shape, scale=scale, zero_point=-5)
        graph.custom("LceBconv2d", inputs, [target], self.options())
        return target

    def model(self) -> bytes:
        """LceQuantize and this convolution."""
        graph = LceGraph()
        source = graph.tensor("float32", (1, self.height, self.width, self.channels_in))
        signs = graph.tensor("int32", (1, self.height, self.width, packed_words(self.channels_in)))
        graph.custom("LceQuantize", [source], [signs])
        return graph.serialize([source], [self.append_to(graph, signs)])
