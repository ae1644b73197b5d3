"""Drop-in Keras layers: the Keras layer plus quantizers.

A quantized layer *is* the Keras layer computed on quantized data:
``QuantConv2D(input_quantizer=f, kernel_quantizer=g)(x) == Conv2D(kernel=g(kernel))(f(x))``.

``tfkit.quantizers`` has the quantizers and their names. Layers with signs for both run on binary kernels after
conversion, layers with more values ("lsq_w2", "dorefa_a4", ...) on few-bit ones; weights that are quantized alone are
stored in their bits. converters/lowbit/METHODS.md has it method by method.
"""

from __future__ import annotations

from tfkit.layers._binary import NotBinaryWarning, has_more_values, is_binary, is_binary_layer, kernel_quantizers
from tfkit.layers.boosted_conv2d import BoostedConv2D
from tfkit.layers.collaborative_conv2d import CollaborativeConv2D
from tfkit.layers.conv1d import QuantConv1D
from tfkit.layers.conv2d import QuantConv2D
from tfkit.layers.conv2d_transpose import QuantConv2DTranspose
from tfkit.layers.conv3d import QuantConv3D
from tfkit.layers.dense import QuantDense
from tfkit.layers.depthwise_conv2d import QuantDepthwiseConv2D
from tfkit.layers.separable_conv import QuantSeparableConv1D, QuantSeparableConv2D

__all__ = [
    "BoostedConv2D",
    "CollaborativeConv2D",
    "NotBinaryWarning",
    "QuantConv1D",
    "QuantConv2D",
    "QuantConv2DTranspose",
    "QuantConv3D",
    "QuantDense",
    "QuantDepthwiseConv2D",
    "QuantSeparableConv1D",
    "QuantSeparableConv2D",
    "has_more_values",
    "is_binary",
    "is_binary_layer",
    "kernel_quantizers",
]
