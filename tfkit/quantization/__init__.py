"""Quantization over whole models: int8-aware training, also where binary and float layers mix; bits per layer."""

from __future__ import annotations

from tfkit.quantization.aware import is_quantize_aware, quantize_aware
from tfkit.quantization.calibration import calibrate
from tfkit.quantization.configs import CONFIGS, OutputConfig, PassConfig
from tfkit.quantization.few_bit import quantize_layers
from tfkit.quantization.hawq import Sensitivity, bit_widths, hessian_ranking
from tfkit.quantization.settle import is_settled, settle
from tfkit.quantization.tfmot import custom_objects

__all__ = [
    "CONFIGS",
    "OutputConfig",
    "PassConfig",
    "Sensitivity",
    "bit_widths",
    "calibrate",
    "custom_objects",
    "hessian_ranking",
    "is_quantize_aware",
    "is_settled",
    "quantize_aware",
    "quantize_layers",
    "settle",
]
