"""Patterns over several calls: hard-swish spelled out, chains of constants, normalizations of their own.

A lone batch normalization, one that does not stand behind a convolution that it can be folded into, gets a 1x1
depthwise convolution with weights 1 in front that does not train: it folds into that. In int8 this is exact, one
rounding, because a kernel with one weight per channel is 127 steps of its scale.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit.layers import is_binary_layer
from tfkit.quantization import layers as own
from tfkit.quantization.calls import Call, Graph
from tfkit.quantization.rewriting import Affine, Rewriter

keras = legacy_keras()
layers = keras.layers

NORMALIZATIONS = ("BatchNormalization", "SyncBatchNormalization")
# What the converter folds a batch normalization into; kernels of dense layers have one scale for all channels.
_FOLDS = ("Conv2D", "DepthwiseConv2D")

# int8 ops whose inputs and output share one scale.
JOINING = ("Concatenate", "Maximum", "Minimum")

# int8 ops that round, to the scale of their input.
SMOOTHING = ("AveragePooling2D", "Resize")

# int8 ops that hand their input on in the same scale.
SAME_SCALE = (
    "Cropping2D", "Dropout", "Flatten", "GlobalMaxPooling2D", "MaxPooling2D", "PadChannels", "Permute", "Rearrange",
    "Reshape", "Slice", "SpatialDropout2D", "ZeroPadding2D",
)  # fmt: skip


def simplify(graph: Graph, rewriter: Rewriter) -> Graph:
    """Everything in this file, in its order."""
    graph = graph.rewritten(lambda call: _merged(call))
    graph = graph.rewritten(lambda call: _hard_swish(call, rewriter))
    graph = _with_foldable_normalizations(graph, rewriter)
    graph = _with_early_relus(graph)
    graph = graph.rewritten(lambda call: _convolution(call, rewriter))
    return graph.rewritten(lambda call: _requantized(call, rewriter))


def _merged(call: Call) -> Call:
    """Constants behind constants, also around a saturating ReLU."""
    if not isinstance(call.layer, Affine):
        return call
    (given,) = call.inputs
    if isinstance(given.layer, Affine) and given.limits is None:
        call = _affine(call, call.layer.after(given.layer), given.inputs[0], call.limits)
    elif _tops_at(given) and isinstance(given.inputs[0].layer, Affine) and call.limits is None:
        inner = given.inputs[0]
        scale, offset = call.layer.scale, call.layer.offset
        if inner.limits is None and scale.ndim == 0 and scale > 0 and not offset.any():
            limits = (0.0, _tops_at(given) * float(scale))
            call = _affine(call, call.layer.after(inner.layer), inner.inputs[0], limits)
    plain = isinstance(call.layer, Affine) and call.limits is None
    return call.inputs[0] if plain and np.all(call.layer.scale == 1) and not call.layer.offset.any() else call


def _affine(call: Call, layer: Affine, given: Call, limits: tuple[float, float] | None) -> Call:
    return Call(layer, [given], call.name, call.shape, (), limits=limits)


def _tops_at(call: Call) -> float:
    """Where a ReLU saturates; 0 for a ReLU that does not, and for everything else."""
    if not is_relu(call) or not isinstance(call.layer, layers.ReLU):
        return 0.0
    return call.limits[1] if call.limits is not None else float(call.layer.max_value or 0.0)


def _hard_swish(call: Call, rewriter: Rewriter) -> Call:
    """x · relu6(x + 3) / 6, wherever the division stands."""
    x = None
    if call.kind == "Multiply":
        for gate, other in (call.inputs, call.inputs[::-1]):
            if _is_gate(gate, other):
                x = other
            elif _is_scaled(other) and _is_shifted_relu6(gate, other.inputs[0]):
                x = other.inputs[0]
    elif _is_scaled(call) and call.inputs[0].kind == "Multiply":
        for gate, other in (call.inputs[0].inputs, call.inputs[0].inputs[::-1]):
            x = other if _is_shifted_relu6(gate, other) else x
    return call if x is None else rewriter.layer(own.HardSwish(), [x], call.name)


def _is_gate(call: Call, x: Call) -> bool:
    return _has(call, 1 / 6, 0.5) and call.limits is not None and call.inputs[0] is x and _near(call.limits[1], 1)


def _is_scaled(call: Call) -> bool:
    return _has(call, 1 / 6, 0.0) and call.limits is None


def _is_shifted_relu6(call: Call, x: Call) -> bool:
    return _near(_tops_at(call), 6) and _has(call.inputs[0], 1.0, 3.0) and call.inputs[0].inputs[0] is x


def _has(call: Call, scale: float, offset: float) -> bool:
    return isinstance(call.layer, Affine) and _near(call.layer.scale, scale) and _near(call.layer.offset, offset)


def _near(got: Any, wanted: float) -> bool:
    return bool(np.allclose(got, wanted, rtol=1e-5, atol=1e-6))


def is_normalization(call: Call | None) -> bool:
    """Whether this is a batch normalization."""
    return call is not None and call.kind in NORMALIZATIONS


def is_relu(call: Call | None) -> bool:
    """Whether this is min(max(x, 0), top) with or without a top."""
    if call is None:
        return False
    if isinstance(call.layer, layers.ReLU):
        return not call.layer.negative_slope and not call.layer.threshold
    return isinstance(call.layer, layers.Activation) and call.layer.activation is keras.activations.relu


def only(readers: list[Call | None]) -> Call | None:
    """The one call that reads a result; None when there are several, or it leaves the graph."""
    return readers[0] if len(readers) == 1 else None


def _with_early_relus(graph: Graph) -> Graph:
    """relu(max_pool(x)) as max_pool(relu(x)), which is the same: what computes x computes its ReLU too.

    So does a reshape, which stands behind a normalization of rows.
    """
    readers = graph.readers()

    def rewrite(call: Call) -> Call:
        if not is_relu(call) or call.inputs[0].kind not in ("MaxPooling2D", "Reshape"):
            return call
        pool = call.inputs[0]
        before = pool.inputs[0]
        if (
            only(readers[id(pool)]) is not call
            or only(readers[id(before)]) is not pool
            or is_binary_layer(before.layer)
        ):
            return call
        call.inputs, call.shape, pool.inputs = [before], before.shape, [call]
        return pool

    return graph.rewritten(rewrite)


def _with_foldable_normalizations(graph: Graph, rewriter: Rewriter) -> Graph:
    readers = graph.readers()

    def folds(call: Call) -> bool:
        (before,) = call.inputs
        if only(readers[id(before)]) is not call:
            return False
        if isinstance(before.layer, Affine):
            return before.limits is None
        if is_relu(before) and is_binary_layer(before.inputs[0].layer):
            return only(readers[id(before.inputs[0])]) is before
        if is_binary_layer(before.layer):
            return True
        return before.kind in _FOLDS and before.layer.activation is keras.activations.linear

    lone = {id(call) for call in graph.calls() if is_normalization(call) and not folds(call)}

    def rewrite(call: Call) -> Call:
        if id(call) not in lone:
            return call
        if _axis(call) != len(call.shape) - 1:
            rewriter.offend(call, "normalizes another axis than the last; use channels_last")
            return call
        return _on_image(call, rewriter, lambda x, name: _normalized(x, call, name, rewriter))

    return graph.rewritten(rewrite)


def _axis(call: Call) -> int:
    axis = call.layer.axis
    axis = axis[0] if isinstance(axis, list | tuple) else axis
    return int(axis) % len(call.shape)


def _normalized(x: Call, call: Call, name: str, rewriter: Rewriter) -> Call:
    channels = int(x.shape[-1] or 0)
    one = _pointwise(np.ones(channels), None)
    inner = rewriter.layer(one[0], [x], rewriter.names.unique(f"{call.name}_identity"), one[1])
    config = {**call.layer.get_config(), "axis": [3]}
    return Call(type(call.layer).from_config(config), [inner], name, x.shape, call.values())


def _convolution(call: Call, rewriter: Rewriter) -> Call:
    """Constants as a 1x1 depthwise convolution that does not train."""
    if not isinstance(call.layer, Affine):
        return call
    channels = int(call.shape[-1] or 0)
    scale, offset = (np.broadcast_to(v, (channels,)) for v in (call.layer.scale, call.layer.offset))
    if np.any(scale != scale[0]):
        return _on_image(call, rewriter, lambda x, name: _per_channel(x, call, scale, offset, name, rewriter))
    layer, weights = _pointwise(scale, offset if offset.any() else None)
    return _on_image(call, rewriter, lambda x, name: rewriter.layer(layer, [x], name, weights, call.limits))


def _per_channel(x: Call, call: Call, scale: np.ndarray, offset: np.ndarray, name: str, rewriter: Rewriter) -> Call:
    """Depthwise kernels are quantized with one scale for all channels, normalizations fold in without that loss."""
    one = np.ones_like(scale)
    norm = layers.BatchNormalization(epsilon=0.0, trainable=False)
    layer, weights = _pointwise(one, None)
    inner = rewriter.layer(layer, [x], rewriter.names.unique(f"{call.name}_identity"), weights)
    values = [np.asarray(v, np.float32) for v in (scale, offset, 0 * one, one)]
    return rewriter.layer(norm, [inner], name, values, call.limits)


def _pointwise(scale: np.ndarray, offset: np.ndarray | None) -> tuple[Any, list[np.ndarray]]:
    layer = layers.DepthwiseConv2D(1, use_bias=offset is not None, trainable=False)
    kernel = np.asarray(scale, np.float32).reshape(1, 1, -1, 1)
    return layer, [kernel] if offset is None else [kernel, np.asarray(offset, np.float32)]


def _on_image(call: Call, rewriter: Rewriter, make: Any) -> Call:
    """``make`` (input, name) on [height, width, channels]; other ranks are reshaped and back."""
    (x,) = call.inputs
    if len(x.shape) == 4:
        return make(x, call.name)
    if None in x.shape[1:-1]:
        rewriter.offend(call, f"reads {x.shape[1:]}, of free size; give the network an input of fixed size")
        return call
    rows = math.prod(size or 1 for size in x.shape[1:-1])
    wide = rewriter.reshaped(x, (rows, 1, x.shape[-1]), rewriter.names.unique(f"{call.name}_wide"))
    made = make(wide, rewriter.names.unique(f"{call.name}_image"))
    return rewriter.reshaped(made, call.shape[1:], call.name)


def _requantized(call: Call, rewriter: Rewriter) -> Call:
    """Results whose range is fixed get one of their own where they meet others: TFLite does the same there."""
    if call.kind not in JOINING:
        return call
    given = []
    for x in call.inputs:
        given.append(x if fixed_range(x) is None else _rescaled(x, rewriter))
    call.inputs = given
    return call


def _rescaled(x: Call, rewriter: Rewriter) -> Call:
    """The same values in a range of their own, by a convolution: the converter drops a bare second quantization."""
    layer, weights = _pointwise(np.ones(int(x.shape[-1] or 0)), None)
    name = rewriter.names.unique(f"{x.name}_rescaled")
    same = Call(None, [x], name, x.shape)
    return _on_image(same, rewriter, lambda given, name: rewriter.layer(layer, [given], name, weights))


def fixed_range(call: Call) -> tuple[float, float] | None:
    """The range that is known beforehand of what int8 ops hand on in one scale."""
    while call.limits is None and call.kind in SAME_SCALE and len(call.inputs) == 1:
        call = call.inputs[0]
    return call.limits
