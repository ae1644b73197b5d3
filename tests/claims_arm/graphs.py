"""Flatbuffers of a single 1x1 convolution or dense layer with given weights."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.helpers.lce_graph import ACTIVATIONS, LceGraph


def pointwise(weights: np.ndarray, size: int) -> bytes:
    """ReLU6 of a 1x1 convolution with ``weights`` [outputs, inputs] on size x size pixels; of one, a dense layer."""
    outputs, inputs = weights.shape
    graph = LceGraph()
    bias = graph.constant(np.full(outputs, 0.5, np.float32))
    if size == 1:
        source, target = graph.tensor("float32", (1, inputs)), graph.tensor("float32", (1, outputs))
        dense = schema.FullyConnectedOptionsT()
        dense.fusedActivationFunction = ACTIVATIONS["RELU6"]
        kernel = graph.constant(weights.astype(np.float32))
        graph.builtin("FULLY_CONNECTED", [source, kernel, bias], [target], "FullyConnectedOptions", dense)
    else:
        source = graph.tensor("float32", (1, size, size, inputs))
        target = graph.tensor("float32", (1, size, size, outputs))
        convolution = schema.Conv2DOptionsT()
        convolution.padding = schema.Padding.VALID
        convolution.strideH = convolution.strideW = 1
        convolution.fusedActivationFunction = ACTIVATIONS["RELU6"]
        kernel = graph.constant(weights.astype(np.float32).reshape(outputs, 1, 1, inputs))
        graph.builtin("CONV_2D", [source, kernel, bias], [target], "Conv2DOptions", convolution)
    return graph.serialize([source], [target])
