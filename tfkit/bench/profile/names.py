"""The user's layers behind the ops of a flatbuffer.

TFLite's converter names a tensor after the TensorFlow ops that it was made of, ``model/layer/Op`` joined by ``;``, with
a digit behind the last where that was taken; LCE's converter cuts names after 50 characters. Constants keep the name of
the op that used them, if they keep any.
"""

from __future__ import annotations

import re
from collections import Counter

from tfkit.converters.graph import Graph, Op
from tfkit.converters.weights import KERNEL_INPUT

_WEIGHT_OP = re.compile(
    r"(Conv\dD(BackpropInput\w*)?|MatMul|BatchMatMulV?\d*|depthwise|separable_conv2d|Tensordot)\d*$"
)
# Scopes that layers open inside their own: Larq's quantizers, TF-MOT's.
_INNER = re.compile(
    r"/(ste_|approx_sign|swish_sign|magnitude_aware_sign|dorefa|\w*quantizer|\w+ValuesQuantize|\w+AverageQuantize"
    r"|LastValueQuant|MovingAvgQuantize|FakeQuant|Tensordot).*$"
)
_WRAPPER = "quant_"  # TF-MOT's, before the name of a layer that it wraps


def layer_names(graph: Graph) -> list[str]:
    """The layer of each op, in order; the tensor's own name where none can be read from it.

    A fused op did the work of several layers: the one that has the weights is named.
    """
    root = _root(graph)
    writers = {index: op for op in graph.ops for index in op.outputs}
    return [_layer(graph, op, writers, root) for op in graph.ops]


def _layer(graph: Graph, op: Op, writers: dict[int, Op], root: str) -> str:
    position = KERNEL_INPUT.get(op.name)
    parts = _parts(_output(graph, op), root)
    kernel = op.inputs[position] if position is not None and position < len(op.inputs) else -1
    if kernel >= 0:
        for part in (*_parts(graph.tensors[kernel].name, root), *parts):
            if _WEIGHT_OP.match(part.rpartition("/")[2]):
                return _user_layer(part)
    source = writers.get(op.inputs[0]) if op.name == "LceBconv2d" and op.inputs else None
    if source is not None and source.name == "LceQuantize":
        # Its own name may be cut off before the layer; the layer's input quantizer stands in the layer's scope.
        for part in _parts(_output(graph, source), root):
            if _INNER.search(part):
                return _user_layer(part)
    whole = [part for part in parts if not part.rpartition("/")[2].startswith("Pad")] or parts
    return _user_layer(whole[-1]) if whole else _output(graph, op)


def _output(graph: Graph, op: Op) -> str:
    return graph.tensors[op.outputs[0]].name if op.outputs else ""


def _parts(name: str, root: str) -> list[str]:
    """``layer/Op`` of each TensorFlow op in a name; what was cut off before its end is left out."""
    parts = [part.removeprefix(root) for part in name.split(";") if part.startswith(root)]
    return [part for part in parts if "/" in part.strip("/")]


def _user_layer(part: str) -> str:
    layer = _INNER.sub("", part)
    layer = layer if layer != part else part.rpartition("/")[0]
    return "/".join(component.removeprefix(_WRAPPER) for component in layer.split("/"))


def _root(graph: Graph) -> str:
    """``model/``: what most of the written tensors' names begin with; empty when there is no such thing."""
    names = [_output(graph, op) for op in graph.ops]
    firsts = Counter(name.split("/")[0] + "/" for name in names if name.count("/") >= 2)
    if not firsts:
        return ""
    root, count = firsts.most_common(1)[0]
    return root if 2 * count > firsts.total() else ""
