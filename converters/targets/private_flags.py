"""The one place that sets an attribute TensorFlow does not publish; a test proves that it still works."""

from __future__ import annotations

from typing import Any

from tfkit._errors import ConversionError

_FLAG = "_experimental_disable_per_channel_quantization_for_dense_layers"


def disable_per_channel_dense(converter: Any) -> None:
    """Quantize Dense weights per tensor.

    Per-channel Dense weights of dynamic quantization make FULLY_CONNECTED version 12, which tflite-runtime 2.14
    (highest: 11) cannot load.

    Raises:
        ConversionError: this TensorFlow has no such flag.
    """
    if not hasattr(converter, _FLAG):
        raise ConversionError(
            f"this TensorFlow's converter has no {_FLAG}, which dynamic quantization for tflite-runtime 2.14 needs; "
            "install the tested TensorFlow (tfkit doctor names it) or convert with --runtime litert"
        )
    setattr(converter, _FLAG, True)
