"""tfkit: from a Keras model to a flatbuffer for an Arm phone or board, with the proof of what it does there.

Importing this package imports no TensorFlow; the names below load what they need on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tfkit._errors import TfkitError
from tfkit._keras import request_legacy_keras

if TYPE_CHECKING:
    from tfkit.converters import Conversion, convert, inspect, verify
    from tfkit.counting import count
    from tfkit.pruning import prune, strip
    from tfkit.pruning.shrink import shrink
    from tfkit.quantization import quantize_aware
    from tfkit.saving import load, save

__version__ = "0.1.0"

__all__ = [
    "Conversion",
    "TfkitError",
    "__version__",
    "convert",
    "count",
    "inspect",
    "load",
    "prune",
    "quantize_aware",
    "save",
    "shrink",
    "strip",
    "verify",
]

_HOME = {
    "Conversion": "tfkit.converters",
    "convert": "tfkit.converters",
    "inspect": "tfkit.converters",
    "verify": "tfkit.converters",
    "count": "tfkit.counting",
    "load": "tfkit.saving",
    "save": "tfkit.saving",
    "prune": "tfkit.pruning",
    "shrink": "tfkit.pruning.shrink",
    "strip": "tfkit.pruning",
    "quantize_aware": "tfkit.quantization",
}

request_legacy_keras()


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tfkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
