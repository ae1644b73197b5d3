"""Building blocks of networks: functions from tensor to tensor, NHWC.

Where the paper leaves it open, a block is convolution, batch normalization, activation, which converters fold and
binary kernels fuse.
"""

from __future__ import annotations

from tfkit.blocks.basic import conv_bn, float_residual
from tfkit.blocks.binary_densenet import binary_dense_layer, binary_dense_transition
from tfkit.blocks.binary_resnet_e import binary_resnet_e_block
from tfkit.blocks.binary_xnor import xnor_block
from tfkit.blocks.binarynet import binary_conv_bn, binary_dense_bn
from tfkit.blocks.birealnet import bireal_block
from tfkit.blocks.densenet import densenet_layer, densenet_transition
from tfkit.blocks.efficientnet import mbconv
from tfkit.blocks.hard_swish import hard_sigmoid, hard_swish
from tfkit.blocks.inception import (
    double_conv,
    factorized_conv,
    inception_double,
    inception_expanded,
    inception_factorized,
    inception_module,
)
from tfkit.blocks.mobilenet import depthwise_separable, inverted_residual, make_divisible, mobilenet_v3_block
from tfkit.blocks.nin import binary_mlpconv, mlpconv
from tfkit.blocks.quicknet import BlurKernel, quicknet_block, quicknet_transition
from tfkit.blocks.residual import (
    basic_block,
    bottleneck_block,
    normalized_relu,
    preactivated_basic_block,
    preactivated_bottleneck_block,
)
from tfkit.blocks.shufflenet import channel_shuffle, shufflenet_unit
from tfkit.blocks.squeeze_excite import squeeze_excite
from tfkit.blocks.squeezenet import fire

__all__ = [
    "BlurKernel",
    "basic_block",
    "binary_conv_bn",
    "binary_dense_bn",
    "binary_dense_layer",
    "binary_dense_transition",
    "binary_mlpconv",
    "binary_resnet_e_block",
    "bireal_block",
    "bottleneck_block",
    "channel_shuffle",
    "conv_bn",
    "densenet_layer",
    "densenet_transition",
    "depthwise_separable",
    "double_conv",
    "factorized_conv",
    "fire",
    "float_residual",
    "hard_sigmoid",
    "hard_swish",
    "inception_double",
    "inception_expanded",
    "inception_factorized",
    "inception_module",
    "inverted_residual",
    "make_divisible",
    "mbconv",
    "mlpconv",
    "mobilenet_v3_block",
    "normalized_relu",
    "preactivated_basic_block",
    "preactivated_bottleneck_block",
    "quicknet_block",
    "quicknet_transition",
    "shufflenet_unit",
    "squeeze_excite",
    "xnor_block",
]
