"""What happens to each call of a graph that is made quantization-aware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.layers import is_binary_layer, kernel_quantizers
from tfkit.quantization import tfmot
from tfkit.quantization.calls import Call, Graph
from tfkit.quantization.configs import CONFIGS, FixedConfig, OutputConfig, PassConfig
from tfkit.quantization.patterns import SAME_SCALE, fixed_range, is_normalization, is_relu, only

keras = legacy_keras()

_FUSED = ("Conv2D", "DepthwiseConv2D", "Dense")

Readers = dict[int, list[Call | None]]


@dataclass
class Plan:
    """``configs``: id of a call -> quantize config (None: TF-MOT's own); a call that is absent stays as it is."""

    configs: dict[int, Any] = field(default_factory=dict)
    offenders: list[str] = field(default_factory=list)


def shared_layers(graph: Graph) -> list[str]:
    """What to say of layers with weights that are called several times."""
    calls = Counter(id(call.layer) for call in graph.calls() if call.index == 0)
    first = {id(call.layer): call for call in reversed(graph.calls())}
    return [
        f"{first[key].label} is called {count} times; use one layer per call (weights are not shared)"
        for key, count in calls.items()
        if count > 1 and first[key].layer.weights
    ]


def plan(graph: Graph, known: Collection[int] = ()) -> Plan:
    """Decide for every call; nothing is changed. ``offenders`` says what cannot be quantized and what to do.

    ``known``: ids of calls that are known to be offenders.
    """
    readers = graph.readers()
    made = Plan()
    fused: set[int] = set()
    for call in graph.calls():
        if kernel_quantizers(call.layer):
            tail = _binary_tail(call, readers)
            made.configs.update({id(part): PassConfig() for part in tail[:-1] if part is not call})
            made.configs[id(tail[-1])] = OutputConfig()
            fused.update(map(id, tail))
    for call in graph.calls():
        if id(call) in fused or call in graph.inputs or id(call) in known:
            continue
        reason = _unsupported(call, readers)
        if reason:
            made.offenders.append(f"{call.label} {reason}")
        else:
            made.configs[id(call)] = _config(call, readers)
    return made


def _binary_tail(call: Call, readers: Readers) -> list[Call]:
    """The calls that one binary convolution kernel computes: itself, a ReLU, a batch normalization.

    In this order only, and as long as nobody else reads the value in between. Their one int8 result is at the end.
    """
    tail = [call]
    if not is_binary_layer(call.layer):
        return tail
    following = only(readers[id(call)])
    if following is not None and is_relu(following) and is_normalization(only(readers[id(following)])):
        tail.append(following)
        following = only(readers[id(following)])
    if following is not None and is_normalization(following):
        tail.append(following)
    return tail


def _config(call: Call, readers: Readers) -> Any | None:
    """tfkit's own config for a call, None for TF-MOT's."""
    layer, following = call.layer, only(readers[id(call)])
    if call.limits is not None:
        return FixedConfig(*call.limits)
    if call.kind in SAME_SCALE and len(readers[id(call)]) > 1:
        # The converter carries a range through such an op to one reader only; ``settle`` makes both ranges one.
        limits = fixed_range(call)
        return OutputConfig() if limits is None else FixedConfig(*limits)
    if is_normalization(call):
        return PassConfig() if _fuses(following) else OutputConfig()
    if is_normalization(following) and call.kind in _FUSED:
        return tfmot.weights_only(layer)
    # A ReLU right behind is computed by the same kernel: one int8 result, after it.
    if _fuses(following):
        if isinstance(layer, keras.layers.Add):
            return PassConfig()
        if call.kind in _FUSED and layer.activation is keras.activations.linear:
            return tfmot.weights_only(layer)
    return CONFIGS[call.kind](layer) if call.kind in CONFIGS else None


def _fuses(following: Call | None) -> bool:
    return is_relu(following) and getattr(following.layer, "max_value", None) in (None, 6)  # type: ignore[union-attr]


def _unsupported(call: Call, readers: Readers) -> str | None:
    """Why a call has no int8 form, and what to do; None when it has one."""
    layer = call.layer
    if isinstance(layer, keras.Model):
        return "is a subclassed model, so its layers cannot be seen; make it functional or sequential"
    if call.limits is not None or is_normalization(call):
        if isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.softmax:
            return _softmax_inside(call, readers)
        return None
    if call.kind in CONFIGS or tfmot.supports(layer):
        return None
    return (
        "has no int8 form here; replace it by layers that have one, or register a config in tfkit.quantization.CONFIGS"
    )


def _softmax_inside(call: Call, readers: Readers) -> str | None:
    if None in readers[id(call)]:
        return None
    return (
        "is a softmax inside of the network, as attention has; int8 holds its small values too coarsely: "
        "use sigmoid or hard_sigmoid for gates, or keep this part of the model in float"
    )
