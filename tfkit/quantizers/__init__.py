"""Quantizers of the literature for ``kernel_quantizer=`` and ``input_quantizer=`` of quantized layers.

A name is the method, w for weights or a for activations, and the bits: "lsq_w2", "dorefa_a3". ``ALIASES`` has all.
Each quantizer knows its ``role``, its ``precision`` in bits and its ``levels``; ``levels`` knows those of Larq's too.
"""

from __future__ import annotations

from tfkit.quantizers._base import Quantizer
from tfkit.quantizers._drawing import Settling
from tfkit.quantizers._levels import Levels
from tfkit.quantizers._names import ALIASES, get
from tfkit.quantizers.abc_net import ABCActivations, ABCWeights
from tfkit.quantizers.attach import initialize
from tfkit.quantizers.binary import ApproxSign, MagnitudeAwareSign, SteSign, StochasticSign, SwishSign
from tfkit.quantizers.dorefa import DoReFaActivations, DoReFaWeights
from tfkit.quantizers.fixed_point import FixedPointActivations, FixedPointWeights
from tfkit.quantizers.gradients import PSEUDO_GRADIENTS
from tfkit.quantizers.hwgq import HWGQ
from tfkit.quantizers.inq import INQ, IncrementalQuantization
from tfkit.quantizers.integer import IntegerWeights
from tfkit.quantizers.larqs import levels
from tfkit.quantizers.logarithmic import LogActivations, LogWeights
from tfkit.quantizers.lq_net import LQActivations, LQWeights
from tfkit.quantizers.lsq import LSQActivations, LSQWeights
from tfkit.quantizers.relaxed import RelaxedActivations, RelaxedWeights
from tfkit.quantizers.ternary import TernaryWeights, TrainedTernary
from tfkit.quantizers.uhlich import UhlichActivations, UhlichWeights
from tfkit.quantizers.xnor import XnorActivations, XnorWeights

__all__ = [
    "ALIASES",
    "HWGQ",
    "INQ",
    "PSEUDO_GRADIENTS",
    "ABCActivations",
    "ABCWeights",
    "ApproxSign",
    "DoReFaActivations",
    "DoReFaWeights",
    "FixedPointActivations",
    "FixedPointWeights",
    "IncrementalQuantization",
    "IntegerWeights",
    "LQActivations",
    "LQWeights",
    "LSQActivations",
    "LSQWeights",
    "Levels",
    "LogActivations",
    "LogWeights",
    "MagnitudeAwareSign",
    "Quantizer",
    "RelaxedActivations",
    "RelaxedWeights",
    "Settling",
    "SteSign",
    "StochasticSign",
    "SwishSign",
    "TernaryWeights",
    "TrainedTernary",
    "UhlichActivations",
    "UhlichWeights",
    "XnorActivations",
    "XnorWeights",
    "get",
    "initialize",
    "levels",
]
