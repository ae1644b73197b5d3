"""Rewrite a graph of calls into layers that have an int8 form, computing the same function.

Layers: class name -> rule, ``RULES``. A new layer is one function and one line at the end of this file; TensorFlow's
operators are in ``operators``. What stays is judged by ``plan``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit._registry import Registry
from tfkit.quantization import layers as own
from tfkit.quantization.activations import recognise
from tfkit.quantization.averaging import averaging_convolution, is_exact_average
from tfkit.quantization.calls import Call
from tfkit.quantization.rewriting import Rewriter, Unsupported

keras = legacy_keras()
layers = keras.layers

Rule = Callable[[Call, Rewriter], Call]

RULES: Registry[Rule] = Registry("lowering rule")


def only_tensors(call: Call) -> Call:
    if call.args or call.kwargs:
        raise Unsupported("is called with more than tensors; call it as layer(x) or layer([x, y])")
    return call


def _activated(call: Call, rewriter: Rewriter) -> Call:
    """A layer with an activation argument: TF-MOT knows none and ReLU, any other becomes a layer of its own."""
    activation = call.layer.activation
    only_tensors(call)
    # TRANSPOSE_CONV computes no activation.
    fused = () if isinstance(call.layer, layers.Conv2DTranspose) else (keras.activations.relu,)
    if activation in (None, keras.activations.linear, *fused):
        return call
    found = recognise(activation, len(call.shape))
    if found is None:
        raise Unsupported(f"has activation {_name(activation)!r}, which {NO_KERNEL}")
    config = {**call.layer.get_config(), "activation": "linear"}
    linear = Call(type(call.layer).from_config(config), call.inputs, call.name, call.shape, call.values())
    return rewriter.activation(found, linear, rewriter.names.unique(f"{call.name}_{found.name}"))


NO_KERNEL = (
    "TFLite has no int8 kernel for; use relu, relu6, leaky_relu, hard_swish, swish, gelu, sigmoid or tanh, "
    "or register a lowering rule"
)


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _activation(call: Call, rewriter: Rewriter) -> Call:
    function = call.layer.activation if isinstance(call.layer, layers.Activation) else call.layer
    if function is keras.activations.relu or _is_plain_relu(call.layer):
        return call
    found = recognise(function, len(call.shape))
    if found is None:
        raise Unsupported(f"has activation {_name(function)!r}, which {NO_KERNEL}")
    return rewriter.activation(found, call.inputs[0], call.name)


def _is_plain_relu(layer: Any) -> bool:
    return (
        isinstance(layer, layers.ReLU)
        and not layer.negative_slope
        and not layer.threshold
        and layer.max_value in (None, 6)
    )


def _lambda(call: Call, rewriter: Rewriter) -> Call:
    found = (
        recognise(call.layer, len(call.shape)) if len(call.inputs) == 1 and call.shape == call.inputs[0].shape else None
    )
    if found is None:
        raise Unsupported("hides what it computes; call the TensorFlow functions on the tensors, or use Keras layers")
    return rewriter.activation(found, call.inputs[0], call.name)


def _prelu(call: Call, rewriter: Rewriter) -> Call:
    raise Unsupported(
        "has no int8 form: the converter leaves its trained slopes in float; use keras.layers.LeakyReLU or ReLU"
    )


def _rescaling(call: Call, rewriter: Rewriter) -> Call:
    return rewriter.affine(call.inputs[0], call.layer.scale, call.layer.offset, call.name)


def _normalization(call: Call, rewriter: Rewriter) -> Call:
    layer = call.layer
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance, np.float64)), keras.backend.epsilon())
    mean = np.asarray(layer.mean, np.float64)
    if getattr(layer, "invert", False):
        return rewriter.affine(call.inputs[0], deviation, mean, call.name)
    return rewriter.affine(call.inputs[0], 1 / deviation, -mean / deviation, call.name)


def _separable2d(call: Call, rewriter: Rewriter) -> Call:
    layer, kernels = call.layer, call.values()
    depthwise = layers.DepthwiseConv2D(
        layer.kernel_size,
        layer.strides,
        padding=layer.padding,
        depth_multiplier=layer.depth_multiplier,
        dilation_rate=layer.dilation_rate,
        use_bias=False,
        depthwise_regularizer=layer.depthwise_regularizer,
        depthwise_constraint=layer.depthwise_constraint,
        trainable=layer.trainable,
    )
    x = rewriter.layer(depthwise, call.inputs, f"{call.name}_depthwise", kernels[:1])
    pointwise = layers.Conv2D(
        layer.filters,
        1,
        use_bias=layer.use_bias,
        activation=layer.activation,
        kernel_regularizer=layer.pointwise_regularizer,
        kernel_constraint=layer.pointwise_constraint,
        bias_regularizer=layer.bias_regularizer,
        trainable=layer.trainable,
    )
    return _activated(Call(pointwise, [x], call.name, call.shape, kernels[1:]), rewriter)


def _as_2d(kind: Callable[..., Any], rule: Rule) -> Rule:
    """A 1-D convolution of [steps, channels] as the 2-D one of [steps, 1, channels] that TFLite makes of it."""

    def lowered(call: Call, rewriter: Rewriter) -> Call:
        layer, (x,) = call.layer, call.inputs
        if layer.padding == "causal" or layer.data_format != "channels_last" or None in x.shape[1:]:
            raise Unsupported("is causal, channels_first or of free length; give padding 'same' and a fixed length")
        config = layer.get_config()
        config |= {name: (*config[name], 1) for name in ("kernel_size", "strides", "dilation_rate")}
        wide = rewriter.reshaped(x, (x.shape[1], 1, x.shape[2]), f"{call.name}_wide")
        kernels = [v[:, None] if v.ndim == 3 else v for v in call.values()]
        shape = (None, call.shape[1], 1, call.shape[2])
        inner = rewriter.names.unique(f"{call.name}_2d")
        made = rule(Call(kind.from_config(config), [wide], inner, shape, kernels), rewriter)  # type: ignore[attr-defined]
        return rewriter.reshaped(made, call.shape[1:], call.name)

    return lowered


def _chain(kind: Callable[..., Any]) -> Rule:
    """A sum or product of several tensors, two at a time: one int8 result each."""

    def lowered(call: Call, rewriter: Rewriter) -> Call:
        result = call.inputs[0]
        for number, given in enumerate(call.inputs[1:], 1):
            last = number == len(call.inputs) - 1
            name = call.name if last else rewriter.names.unique(f"{call.name}_{number}")
            result = rewriter.layer(kind(), [result, given], name)
        return result

    return lowered


def _average(call: Call, rewriter: Rewriter) -> Call:
    total = Call(layers.Add(), call.inputs, rewriter.names.unique(f"{call.name}_sum"), call.shape)
    return rewriter.affine(_chain(layers.Add)(total, rewriter), 1 / len(call.inputs), 0.0, call.name)


def _average_pooling(call: Call, rewriter: Rewriter) -> Call:
    if not is_exact_average(call.layer, call.inputs[0].shape):
        return call
    return rewriter.layer(averaging_convolution(call.layer), call.inputs, call.name)


def _upsampling(call: Call, rewriter: Rewriter) -> Call:
    return rewriter.resize(call.inputs[0], call.shape, call.layer.interpolation, call.name)


def _resizing(call: Call, rewriter: Rewriter) -> Call:
    if call.layer.crop_to_aspect_ratio:
        raise Unsupported("crops to the aspect ratio; crop before the network, or set crop_to_aspect_ratio=False")
    return rewriter.resize(call.inputs[0], call.shape, call.layer.interpolation, call.name)


def _center_crop(call: Call, rewriter: Rewriter) -> Call:
    (_, height, width, _), (_, rows, columns, _) = call.inputs[0].shape, call.shape
    if None in (height, width, rows, columns) or height < rows or width < columns:  # type: ignore[operator]
        raise Unsupported("enlarges its input or has a free size; resize before the network")
    top, left = (height - rows) // 2, (width - columns) // 2  # type: ignore[operator]
    slices = ((top, top + rows, None), (left, left + columns, None), (None, None, None))  # type: ignore[operator]
    return rewriter.layer(own.Slice(slices), call.inputs, call.name)


for _kind in ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense"):
    RULES.add(_kind, _activated)
for _kind in ("Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Softmax"):
    RULES.add(_kind, _activation)
RULES.add("PReLU", _prelu)
RULES.add("Lambda", _lambda)
RULES.add("Rescaling", _rescaling)
RULES.add("Normalization", _normalization)
RULES.add("SeparableConv2D", _separable2d)
RULES.add("Conv1D", _as_2d(layers.Conv2D, _activated))
RULES.add("SeparableConv1D", _as_2d(layers.SeparableConv2D, _separable2d))
RULES.add("Add", _chain(layers.Add))
RULES.add("Multiply", _chain(layers.Multiply))
RULES.add("Maximum", _chain(layers.Maximum))
RULES.add("Minimum", _chain(layers.Minimum))
RULES.add("Average", _average)
RULES.add("AveragePooling2D", _average_pooling)
RULES.add("UpSampling2D", _upsampling)
RULES.add("Resizing", _resizing)
RULES.add("CenterCrop", _center_crop)
