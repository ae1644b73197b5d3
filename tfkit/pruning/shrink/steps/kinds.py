"""Which class follows which layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit.layers import is_binary_layer
from tfkit.layers._binary import kernel_quantizers
from tfkit.pruning.shrink.steps import contracting, depthwise, elementwise, merging, shaping, spatial
from tfkit.pruning.shrink.steps.base import Step
from tfkit.pruning.shrink.steps.opaque import Given, Opaque
from tfkit.quantization.calls import Call

keras = legacy_keras()
layers = keras.layers

BINARY = (
    "its kernel is binary, and sign(0) = +1, so a channel of zeros would count as +1; "
    "a binary layer gets smaller by building it with fewer filters"
)
_QUANTIZED = "its quantizer takes its scale from all channels together; prune the float model first, then quantize"

# By the exact class: a subclass may compute anything.
_STEPS: dict[type, type[Step]] = {
    layers.InputLayer: Given,
    layers.Dense: contracting.Dense,
    **dict.fromkeys([layers.Conv1D, layers.Conv2D, layers.Conv3D], contracting.Convolution),
    **dict.fromkeys([layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose], contracting.Transposed),
    **dict.fromkeys([layers.SeparableConv1D, layers.SeparableConv2D], contracting.Separable),
    **dict.fromkeys([layers.DepthwiseConv1D, layers.DepthwiseConv2D], depthwise.Depthwise),
    layers.BatchNormalization: elementwise.Normalization,
    layers.PReLU: elementwise.ParametricRelu,
    **dict.fromkeys(
        [layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.ThresholdedReLU, layers.Rescaling],
        elementwise.Elementwise,
    ),
    **dict.fromkeys(
        [
            *(layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
            *(layers.GaussianDropout, layers.GaussianNoise, layers.AlphaDropout, layers.ActivityRegularization),
        ],
        elementwise.Same,
    ),
    **dict.fromkeys(
        [
            *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
            *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
            *(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D),
            *(layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D, layers.Resizing),
        ],
        spatial.Spatial,
    ),
    **dict.fromkeys([layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D], spatial.ZeroPadding),
    **dict.fromkeys(
        [
            *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D),
            *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
        ],
        spatial.GlobalPooling,
    ),
    **dict.fromkeys([layers.Flatten, layers.Reshape], shaping.Reshaped),
    layers.Permute: shaping.Permuted,
    layers.Concatenate: merging.Joined,
}
_MERGERS = {
    layers.Add: "add",
    layers.Subtract: "subtract",
    layers.Multiply: "multiply",
    layers.Average: "average",
    layers.Maximum: "maximum",
    layers.Minimum: "minimum",
}
# TensorFlow functions of two tensors, by their symbol.
_OPERATORS = {
    "__operators__.add": "add",
    "math.add": "add",
    "math.subtract": "subtract",
    "math.multiply": "multiply",
    "math.maximum": "maximum",
    "math.minimum": "minimum",
}


def step_of(call: Call, inputs: list[Step], first: Step | None) -> Step:
    """What follows the call; ``Opaque`` where nothing else fits."""
    layer = call.layer
    kind = _STEPS.get(type(layer))
    if type(layer).__name__ == "TFOpLambda":
        return _operator(call, inputs, first)
    if kind is not None and not _is_plain(call):
        return Opaque(call, inputs, first, "it is called with more than its inputs")
    if type(layer) in _MERGERS:
        merged = merging.Merged(call, inputs, first)
        merged.function = _MERGERS[type(layer)]
        return merged
    if kind is contracting.Convolution and layer.groups > 1 and layer.groups == call.inputs[0].shape[-1]:
        return depthwise.GroupPerChannel(call, inputs, first)
    if kind is elementwise.Elementwise and isinstance(layer, layers.Rescaling) and _per_channel(layer):
        return Opaque(call, inputs, first, "it has a scale for every channel")
    if kind is not None:
        return kind(call, inputs, first)
    return Opaque(call, inputs, first, why_opaque(layer))


def why_opaque(layer: Any) -> str:
    """Why a layer's channels stay."""
    if is_binary_layer(layer):
        return BINARY
    if kernel_quantizers(layer) or getattr(layer, "input_quantizer", None) is not None:
        return _QUANTIZED
    return f"tfkit does not know what {type(layer).__name__} does with channels"


def _operator(call: Call, inputs: list[Step], first: Step | None) -> Step:
    symbol = str(getattr(call.layer, "symbol", None))
    if len(inputs) == 2 and symbol in _OPERATORS:
        merged = merging.Merged(call, inputs, first)
        merged.function = _OPERATORS[symbol]
        return merged
    if len(inputs) == 1 and call.shape == call.inputs[0].shape:
        return elementwise.Operator(call, inputs, first)
    return Opaque(call, inputs, first, f"tfkit does not know what tf.{symbol} does with channels")


def _is_plain(call: Call) -> bool:
    """Whether a layer gets its inputs and nothing else, or is told that it is not training."""
    return not (set(call.kwargs) - {"training"} or call.kwargs.get("training"))


def _per_channel(layer: Any) -> bool:
    return np.size(layer.scale) > 1 or np.size(layer.offset) > 1
