"""What happens to each layer of a model that is made quantization-aware."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.layers import is_binary_layer, kernel_quantizers
from tfkit.quantization import tfmot
from tfkit.quantization.averaging import is_exact_average
from tfkit.quantization.configs import CONFIGS, OutputConfig, PassConfig
from tfkit.quantization.graph import Edges, neighbours, uses

keras = legacy_keras()

_NORMALIZATIONS = ("BatchNormalization", "SyncBatchNormalization")
_FUSED = ("Conv2D", "DepthwiseConv2D", "Dense")
_NORMALIZED = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense")


@dataclass
class Plan:
    """``configs``: name -> quantize config (None: TF-MOT's own); a layer that is absent stays as it is."""

    configs: dict[str, Any] = field(default_factory=dict)
    offenders: list[str] = field(default_factory=list)


def plan(model: Any) -> Plan:
    """Decide for every layer; nothing is changed. ``offenders`` says what cannot be quantized and what to do."""
    producers, consumers = neighbours(model)
    counts = uses(model)
    made = Plan()
    fused: set[str] = set()
    for layer in model.layers:
        if counts.get(layer.name, 0) > 1:
            made.offenders.append(
                f"{_label(layer)} is called {counts[layer.name]} times; use one layer per call (weights are not shared)"
            )
        elif kernel_quantizers(layer):
            tail = _binary_tail(layer, consumers)
            made.configs.update({part.name: PassConfig() for part in tail[:-1] if part is not layer})
            made.configs[tail[-1].name] = OutputConfig()
            fused.update(part.name for part in tail)
    for layer in model.layers:
        if layer.name in fused or isinstance(layer, keras.layers.InputLayer) or kernel_quantizers(layer):
            continue
        reason = _unsupported(layer, producers)
        if reason:
            made.offenders.append(f"{_label(layer)} {reason}")
        else:
            made.configs[layer.name] = _config(layer, consumers)
    return made


def _binary_tail(layer: Any, consumers: Edges) -> list[Any]:
    """The layers that one binary convolution kernel computes: itself, a ReLU, a batch normalization.

    In this order only, and as long as nobody else reads the value in between. Their one int8 result is at the end.
    """
    tail = [layer]
    if not is_binary_layer(layer):
        return tail
    following = _only(consumers[layer.name])
    if following is not None and _is_relu(following) and _is_normalization(_only(consumers[following.name])):
        tail.append(following)
        following = _only(consumers[following.name])
    if _is_normalization(following):
        tail.append(following)
    return tail


def _config(layer: Any, consumers: Edges) -> Any | None:
    """tfkit's own config for a layer, None for TF-MOT's."""
    following = _only(consumers[layer.name])
    if is_exact_average(layer):
        return OutputConfig()  # its weights are all equal, which int8 holds exactly
    # A ReLU right behind is computed by the same kernel: one int8 result, after it.
    if _is_relu(following) and getattr(following, "max_value", None) in (None, 6):
        if isinstance(layer, keras.layers.Add):
            return PassConfig()
        if type(layer).__name__ in _FUSED and layer.activation is keras.activations.linear:
            return tfmot.weights_only(layer)
    return CONFIGS[type(layer).__name__](layer) if type(layer).__name__ in CONFIGS else None


def _only(layers: list[Any]) -> Any | None:
    return layers[0] if len(layers) == 1 else None


def _is_relu(layer: Any) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return not layer.negative_slope and not layer.threshold
    return isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.relu


def _is_normalization(layer: Any) -> bool:
    return type(layer).__name__ in _NORMALIZATIONS


def _unsupported(layer: Any, producers: Edges) -> str | None:
    """Why TF-MOT cannot quantize this layer, and what to do; None when it can."""
    kind = type(layer).__name__
    if isinstance(layer, keras.Model):
        return "is a model inside a model; call its layers on the outer model's tensors instead"
    if _is_normalization(layer):
        before = _only(producers[layer.name])
        if type(before).__name__ in _NORMALIZED and getattr(before, "activation", None) is keras.activations.linear:
            return None
        return (
            "normalizes something else than the result of a convolution or dense layer, so it cannot be folded; "
            "move it right behind one (without an activation between them)"
        )
    if kind in CONFIGS:
        return None
    if not tfmot.supports(layer):
        return (
            "has no int8 form here; replace it by layers that have one, or register a config in "
            "tfkit.quantization.CONFIGS"
        )
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", type(activation).__name__)
    if activation is not None and not isinstance(layer, keras.layers.Activation) and name not in tfmot.ACTIVATIONS:
        return f"has activation {name!r}; put it in a layer of its own (keras.layers.ReLU(6.0) for relu6)"
    return None


def _label(layer: Any) -> str:
    return f"{layer.name!r} ({type(layer).__name__})"
