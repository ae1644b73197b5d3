"""Building blocks of compact and binary networks: functions from tensor to tensor, NHWC.

Every block is convolution, batch normalization, activation in the order that converters fold and binary
kernels fuse.
"""

from __future__ import annotations

from tfkit.blocks.basic import conv_bn, float_residual
from tfkit.blocks.birealnet import bireal_block
from tfkit.blocks.mobilenet import depthwise_separable, inverted_residual, make_divisible
from tfkit.blocks.quicknet import BlurKernel, quicknet_block, quicknet_transition

__all__ = [
    "BlurKernel",
    "bireal_block",
    "conv_bn",
    "depthwise_separable",
    "float_residual",
    "inverted_residual",
    "make_divisible",
    "quicknet_block",
    "quicknet_transition",
]
