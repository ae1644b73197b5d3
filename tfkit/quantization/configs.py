"""Quantize configs of tfkit's own, for layers that TF-MOT has none for: class name -> function of the layer.

The function may return None for TF-MOT's own config.

A new layer is one function and one line at the end of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorflow_model_optimization.quantization.keras import QuantizeConfig, quantizers

from tfkit._keras import legacy_keras
from tfkit._registry import Registry
from tfkit.quantization import tfmot

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class PassConfig(QuantizeConfig):
    """Quantize nothing: the layer's result never leaves a fused kernel, or is exact in int8."""

    def get_weights_and_quantizers(self, layer: Any) -> list[Any]:
        return []

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        return []

    def set_quantize_weights(self, layer: Any, quantize_weights: Sequence[Any]) -> None:
        pass

    def set_quantize_activations(self, layer: Any, quantize_activations: Sequence[Any]) -> None:
        pass

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        return []

    def get_config(self) -> dict[str, Any]:
        return {}


@keras.utils.register_keras_serializable(package="tfkit")
class OutputConfig(PassConfig):
    """Quantize the output only: 8 bits, one range for the tensor, zero exactly representable."""

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        return [
            quantizers.MovingAverageQuantizer(num_bits=8, per_axis=False, symmetric=False, narrow_range=False),
        ]


@keras.utils.register_keras_serializable(package="tfkit")
class FixedConfig(PassConfig):
    """Quantize the output with a range that is known beforehand and stays, and the kernel of a convolution."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def get_weights_and_quantizers(self, layer: Any) -> list[Any]:
        return tfmot.weights_only(layer).get_weights_and_quantizers(layer) if tfmot.has_kernel(layer) else []

    def set_quantize_weights(self, layer: Any, quantize_weights: Sequence[Any]) -> None:
        if quantize_weights:
            tfmot.weights_only(layer).set_quantize_weights(layer, quantize_weights)

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        return [tfmot.FixedRange(self.low, self.high)]

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}


def _activation(layer: Any) -> QuantizeConfig | None:
    return OutputConfig() if layer.activation is keras.activations.linear else None


def _resize(layer: Any) -> QuantizeConfig:
    return PassConfig() if layer.method == "nearest" else OutputConfig()


CONFIGS: Registry[Callable[[Any], QuantizeConfig | None]] = Registry("quantize config")
for _name in ("Multiply", "Subtract", "Maximum", "Minimum", "HardSwish", "Gelu"):
    CONFIGS.add(_name, lambda layer: OutputConfig())
for _name in ("Slice", "Rearrange", "PadChannels"):
    CONFIGS.add(_name, lambda layer: PassConfig())
# Inference leaves these out.
for _name in (
    "GaussianNoise", "GaussianDropout", "AlphaDropout", "RandomBrightness", "RandomContrast", "RandomFlip",
    "RandomRotation", "RandomTranslation", "RandomZoom",
):  # fmt: skip
    CONFIGS.add(_name, lambda layer: PassConfig())
CONFIGS.add("Activation", _activation)
CONFIGS.add("Resize", _resize)
