"""Drop-in Keras layers: the Keras layer plus quantizers.

A quantized layer *is* the Keras layer computed on quantized data:
``QuantConv2D(input_quantizer=f, kernel_quantizer=g)(x) == Conv2D(kernel=g(kernel))(f(x))``.
"""

from __future__ import annotations

from tfkit.layers._binary import NotBinaryWarning, is_binary, is_binary_layer, kernel_quantizers
from tfkit.layers.conv2d import QuantConv2D
from tfkit.layers.dense import QuantDense

__all__ = ["NotBinaryWarning", "QuantConv2D", "QuantDense", "is_binary", "is_binary_layer", "kernel_quantizers"]
