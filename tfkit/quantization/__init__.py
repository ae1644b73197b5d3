"""int8 quantization-aware training over whole models, also where binary and float layers mix."""

from __future__ import annotations

from tfkit.quantization.aware import is_quantize_aware, quantize_aware
from tfkit.quantization.calibration import calibrate
from tfkit.quantization.configs import CONFIGS, OutputConfig, PassConfig
from tfkit.quantization.settle import is_settled, settle
from tfkit.quantization.tfmot import custom_objects

__all__ = [
    "CONFIGS",
    "OutputConfig",
    "PassConfig",
    "calibrate",
    "custom_objects",
    "is_quantize_aware",
    "is_settled",
    "quantize_aware",
    "settle",
]
