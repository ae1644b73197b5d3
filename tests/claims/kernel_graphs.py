"""Graphs of one op, or of five of it, to be timed by their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.helpers.lce_graph import Convolution, LceGraph, packed_words

LONG = 5


@dataclass(frozen=True)
class Layer:
    """A 3x3 convolution that keeps size and channels."""

    size: int
    channels: int

    def __str__(self) -> str:
        return f"{self.size}x{self.size}x{self.channels}"

    @property
    def image(self) -> tuple[int, int, int, int]:
        """Shape of its input."""
        return (1, self.size, self.size, self.channels)


QUICKNET = (Layer(56, 64), Layer(28, 128), Layer(14, 256), Layer(7, 512))


def bits(image: Sequence[int]) -> tuple[int, ...]:
    """The bitpacked shape."""
    return (*image[:-1], packed_words(image[-1]))


def binary_chain(layer: Layer, output: str, length: int) -> bytes:
    """Bits through `length` binary convolutions; float outputs are quantized for the next."""
    graph = LceGraph()
    source = tensor = graph.tensor("int32", bits(layer.image))
    for seed in range(length):
        convolution = Convolution(layer.size, layer.size, layer.channels, layer.channels, output=output, seed=seed)
        tensor = convolution.append_to(graph, tensor)
        if output != "bitpacked":
            values, tensor = tensor, graph.tensor("int32", bits(layer.image))
            graph.custom("LceQuantize", [values], [tensor])
    return graph.serialize([source], [tensor])


def full_precision_chain(layer: Layer, dtype: str, length: int) -> bytes:
    """The same convolutions in float32 or int8, as TFLite's converter writes them."""
    graph = LceGraph()
    scale = {"int8": 0.05}.get(dtype)
    random = np.random.default_rng(0)
    source = tensor = graph.tensor(dtype, layer.image, scale=scale)
    for _ in range(length):
        shape = (layer.channels, 3, 3, layer.channels)
        if dtype == "int8":
            weights = graph.constant(random.integers(-127, 128, shape, dtype=np.int8))
            bias = graph.constant(np.zeros(layer.channels, np.int32))
            _quantize(graph, weights, 0.01, layer.channels)
            _quantize(graph, bias, 0.01 * 0.05, layer.channels)
        else:
            weights = graph.constant(random.standard_normal(shape).astype(np.float32) / 30)
            bias = graph.constant(np.zeros(layer.channels, np.float32))
        result = graph.tensor(dtype, layer.image, scale=scale)
        _append_conv2d(graph, [tensor, weights, bias], result)
        tensor = result
    return graph.serialize([source], [tensor])


def _quantize(graph: LceGraph, tensor: int, scale: float, channels: int) -> None:
    """Give a constant one scale per channel."""
    quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = [scale] * channels, [0] * channels
    quantization.quantizedDimension = 0
    graph.graph.tensors[tensor].quantization = quantization


def _append_conv2d(graph: LceGraph, inputs: Sequence[int], output: int) -> None:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    code.version = 3
    graph.model.operatorCodes.append(code)
    options = schema.Conv2DOptionsT()
    options.padding, options.strideW, options.strideH = schema.Padding.SAME, 1, 1
    options.dilationWFactor = options.dilationHFactor = 1
    operator = schema.OperatorT()
    operator.opcodeIndex = len(graph.model.operatorCodes) - 1
    operator.inputs, operator.outputs = list(inputs), [output]
    operator.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    operator.builtinOptions = options
    graph.graph.operators.append(operator)


def quantizers(image: Sequence[int], dtype: str, length: int) -> bytes:
    """`length` times LceQuantize of one image."""
    graph = LceGraph()
    source = graph.tensor(dtype, image, scale={"int8": 0.05}.get(dtype))
    targets = [graph.tensor("int32", bits(image)) for _ in range(length)]
    for target in targets:
        graph.custom("LceQuantize", [source], [target])
    return graph.serialize([source], targets)


def dequantizers(image: Sequence[int], dtype: str, quantizers: int, length: int) -> bytes:
    """`length` times LceDequantize and back by so many LceQuantize, whose outputs cost less to hand over."""
    graph = LceGraph()
    source = tensor = graph.tensor("int32", bits(image))
    for _ in range(length):
        values = graph.tensor(dtype, image, scale={"int8": 0.05}.get(dtype))
        graph.custom("LceDequantize", [tensor], [values])
        for _ in range(quantizers):
            tensor = graph.tensor("int32", bits(image))
            graph.custom("LceQuantize", [values], [tensor])
    return graph.serialize([source], [tensor])


def max_pools(image: Sequence[int], window: int, length: int) -> bytes:
    """`length` times LceBMaxPool2d, stride 2, of one image."""
    graph = LceGraph()
    source = graph.tensor("int32", bits(image))
    batch, height, width, channels = image
    half = bits((batch, (height + 1) // 2, (width + 1) // 2, channels))
    options = {"padding": 0, "stride_width": 2, "stride_height": 2, "filter_width": window, "filter_height": window}
    targets = [graph.tensor("int32", half) for _ in range(length)]
    for target in targets:
        graph.custom("LceBMaxPool2d", [source], [target], options)
    return graph.serialize([source], targets)
