"""Run flatbuffers on stock runtimes, binary and few-bit ones included."""

from __future__ import annotations

from tfkit.runtime.interpreter import Interpreter
from tfkit.runtime.libraries import litert_library, litert_licence
from tfkit.runtime.tensors import TensorInfo

__all__ = ["Interpreter", "TensorInfo", "litert_library", "litert_licence"]
