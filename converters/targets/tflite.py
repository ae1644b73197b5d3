"""float32, float16, dynamic and int8 flatbuffers by TensorFlow Lite's converter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tfkit._errors import ConversionError
from tfkit.converters.diagnostics import captured, reason
from tfkit.converters.targets.private_flags import disable_per_channel_dense

Samples = Callable[[], Iterable[list[np.ndarray]]]


def convert(
    function: Any,
    *,
    format: str,
    io: str,
    sparse: bool,
    calibration: Samples | None,
    old_runtime: bool,
) -> bytes:
    """Convert a concrete function of fixed or free batch.

    Args:
        calibration: yields lists of one preprocessed sample per input; only for ``int8`` of float models.
        sparse: encode weights that are mostly zero sparsely.
        old_runtime: restrict op versions to those of tflite-runtime 2.14.

    Raises:
        ConversionError: with the converter's own reason.
    """
    import tensorflow as tf

    with captured() as found:
        try:
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
            # Straight from the frozen graph: a detour over a SavedModel costs as much as the conversion.
            converter.experimental_lower_to_saved_model = False
            optimizations = []
            if format in ("float16", "dynamic", "int8"):
                optimizations.append(tf.lite.Optimize.DEFAULT)
            if sparse:
                optimizations.append(tf.lite.Optimize.EXPERIMENTAL_SPARSITY)
            converter.optimizations = optimizations
            if format == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if format == "int8":
                if calibration is not None:
                    converter.representative_dataset = calibration
                    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                if io == "int8":
                    converter.inference_input_type = converter.inference_output_type = tf.int8
            if old_runtime and format == "dynamic":
                disable_per_channel_dense(converter)
            return bytes(converter.convert())
        except Exception as error:
            failure = error
    raise ConversionError(f"TensorFlow Lite's converter refused the model: {reason(failure, found)}") from failure
