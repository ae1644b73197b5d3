"""Callbacks for quantized networks: Larq's, and the schedule of incremental network quantization."""

from __future__ import annotations

from tfkit._larq import larq
from tfkit.quantizers.inq import IncrementalQuantization

HyperparameterScheduler = larq.callbacks.HyperparameterScheduler

__all__ = ["HyperparameterScheduler", "IncrementalQuantization"]
