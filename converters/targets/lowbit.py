"""Few-bit flatbuffers by TensorFlow Lite's converter, with tfkit's ops as composite ops.

The detour over a SavedModel is needed: functions that name the op they implement are inlined on the way from a frozen
graph, and only then is there nothing left to take over.
"""

from __future__ import annotations

from typing import Any

from tfkit._errors import ConversionError
from tfkit.converters.diagnostics import captured, reason
from tfkit.converters.lowbit.fold import folded
from tfkit.converters.targets.saved_ends import in_order


def convert(function: Any) -> bytes:
    """Convert a concrete function of fixed batch, some of whose calls are packed ops; folds what stands between them.

    Raises:
        ConversionError: with the converter's own reason.
    """
    import tensorflow as tf

    with captured() as found:
        try:
            module = tf.Module()
            module.function = function
            module.held = list(function.variables)  # a SavedModel refuses variables that it does not hold
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
            converter.allow_custom_ops = True
            converted = in_order(bytes(converter.convert()), function)
            failure = None
        except Exception as error:
            failure = error
    if failure is None:
        return folded(converted)
    raise ConversionError(f"TensorFlow Lite's converter refused the model: {reason(failure, found)}") from failure
