"""Quantize configs of tfkit's own, for layers that TF-MOT has none for: class name -> function of the layer.

A new layer is one function and one line at the end of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorflow_model_optimization.quantization.keras import QuantizeConfig, quantizers

from tfkit._keras import legacy_keras
from tfkit._registry import Registry

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


CONFIGS: Registry[Callable[[Any], QuantizeConfig]] = Registry("quantize config")
CONFIGS.add("Multiply", lambda layer: OutputConfig())
CONFIGS.add("Subtract", lambda layer: OutputConfig())
