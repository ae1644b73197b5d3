"""Round in Keras what int8 inference rounds, so that both compute the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit.quantization import tfmot
from tfkit.quantization.graph import Edges, neighbours
from tfkit.quantization.patterns import JOINING, SAME_SCALE, SMOOTHING

keras = legacy_keras()
layers = keras.layers

# Integer kernels of ADD multiply by scale ratios with 20 fractional bits or more (XNNPACK: 20 and a bit).
_RATIO_STEPS = 2.0**20

# Settling a settled model moves its variables by some float32 roundings, another one by up to half a step.
_SAME = 2e-6


def settle(model: Any) -> Any:
    """Move the ranges and biases of a trained quantization-aware model onto the grid of int8 inference; in place.

    - Everything that meets in a concatenation, maximum or minimum gets one range, because the int8 kernels compare
      and copy bytes; so does what a bilinear resize or an average pooling with cut windows reads and gives.
    - Every sum or difference of two tensors gets input and output scales whose ratios have 20 fractional bits, the
      precision of integer ADD kernels (ranges move by less than 1e-6 of their width).
    - Every folded bias becomes a multiple of input scale · weight scale, which is how it is stored in int32
      (Jacob et al., https://arxiv.org/abs/1712.05877, section 2.4); it moves by less than half that step.

    Neither changes the accuracy, but without it about one value in a thousand leaves each layer one step apart
    from Keras, and in front of a sign one step can flip a bit. What remains is Keras' own float32 rounding.
    ``tfkit.training.fit`` settles the model it trained; do it yourself after ``model.fit``.

    Calling it again changes nothing; so does calling it on a model that is not quantization-aware.
    """
    tfmot.refresh_weight_ranges(model)
    producers, consumers = neighbours(model)
    scales = _Scales()
    ranges = {layer.name: tfmot.output_range(layer) for layer in model.layers}
    for layer in model.layers:
        if _kind(layer) in (*JOINING, *SMOOTHING, *SAME_SCALE) and ranges[layer.name] is not None:
            owners = [_range_owner(before, producers) for before in producers[layer.name]]
            scales.join([owner for owner in (*owners, layer) if owner is not None])
    _settle_sums(model, ranges, producers, consumers, scales)
    for wrapper in tfmot.wrappers(model):
        if tfmot.has_kernel(wrapper.layer):
            _settle_bias(wrapper, producers, consumers)
    return model


def is_settled(model: Any) -> bool:
    """Whether ``settle`` would change nothing beyond float32 rounding; the model stays as it is.

    Models that ``quantize_aware`` did not make, whose quantizers may be of any kind, are not judged: True.
    """
    if not any(wrapper.name.startswith(tfmot.NAME_PREFIX) for wrapper in tfmot.wrappers(model)):
        return True
    before = model.get_weights()
    try:
        settle(model)
        after = model.get_weights()
    finally:
        model.set_weights(before)
    return all(
        np.abs(new - old).max(initial=0.0) <= _SAME * np.abs(old).max(initial=0.0)
        for old, new in zip(before, after, strict=True)
        if np.issubdtype(old.dtype, np.floating)
    )


class _Scales:
    """Ranges by layer name, and which of them are one range because their values are concatenated."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, Any]] = {}

    def join(self, owners: list[Any]) -> None:
        group: dict[str, Any] = {}
        for owner in owners:
            group.update(self._group(owner))
        if any(found.is_fixed for found in group.values()):
            return  # all of them are: ``patterns`` gives those that meet others a range of their own
        low = min(float(found.minimum.numpy()) for found in group.values())
        high = max(float(found.maximum.numpy()) for found in group.values())
        for name, found in group.items():
            found.minimum.assign(low)
            found.maximum.assign(high)
            self._groups[name] = group

    def _group(self, owner: Any) -> dict[str, Any]:
        return self._groups.get(owner.name, {owner.name: tfmot.output_range(owner)})

    def get(self, owner: Any) -> float:
        return float(self._group(owner)[owner.name].scale)

    def move(self, owner: Any, scale: float) -> frozenset[str]:
        """Set the scale of the owner's range; returns every layer that this changed."""
        group = self._group(owner)
        for found in group.values():
            found.scale = scale
        return frozenset(group)

    def names(self, owner: Any) -> frozenset[str]:
        return frozenset(self._group(owner))


def _settle_sums(model: Any, ranges: dict[str, Any], producers: Edges, consumers: Edges, scales: _Scales) -> None:
    fixed = {
        layer.name
        for layer in model.layers
        if isinstance(layer, tfmot.QuantizeInput) or ((found := ranges[layer.name]) is not None and found.is_fixed)
    }
    for layer in model.layers:
        if _kind(layer) not in ("Add", "Subtract") or len(producers[layer.name]) != 2:
            continue
        owners: list[Any] = [_range_owner(before, producers) for before in producers[layer.name]]
        result = layer if tfmot.output_range(layer) else _fused_relu(consumers[layer.name])
        if result is None or None in owners or owners[0] is owners[1]:
            continue
        first, second = sorted(owners, key=lambda owner: owner.name not in fixed)
        if result.name not in fixed:
            left = scales.get(first)
            fixed |= scales.move(result, left / _ratio(left, scales.get(result)))
        if second.name not in fixed:
            out = scales.get(result)
            fixed |= scales.move(second, out * _ratio(scales.get(second), out))
        fixed |= scales.names(first)


def _ratio(part: float, whole: float) -> float:
    return max(1.0, round(part / whole * _RATIO_STEPS)) / _RATIO_STEPS


# Layers that inference leaves out.
_UNSEEN = (
    "ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise", "RandomBrightness", "RandomContrast",
    "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom",
)  # fmt: skip


def _kind(layer: Any) -> str:
    return type(getattr(layer, "layer", layer)).__name__


def _range_owner(layer: Any, producers: Edges) -> Any | None:
    """The layer whose range the output of ``layer`` is quantized with; None when there is none."""
    while tfmot.output_range(layer) is None:
        before = producers.get(layer.name, [])
        if _kind(layer) not in (*SAME_SCALE, *SMOOTHING, *_UNSEEN) or len(before) != 1:
            return None
        layer = before[0]
    return layer


def _fused_relu(following: list[Any]) -> Any | None:
    if len(following) == 1 and isinstance(getattr(following[0], "layer", None), (layers.ReLU, layers.Activation)):
        return following[0] if tfmot.output_range(following[0]) else None
    return None


def _settle_bias(wrapper: Any, producers: Edges, consumers: Edges) -> None:
    before = producers[wrapper.name]
    owner = _range_owner(before[0], producers) if len(before) == 1 else None
    weights = tfmot.weight_scale(wrapper)
    if owner is None or weights is None:
        return
    given = tfmot.output_range(owner)
    assert given is not None
    layer = wrapper.layer
    step = given.scale * weights
    if isinstance(layer, layers.DepthwiseConv2D) and np.size(step) > 1:
        step = np.tile(step, layer.depthwise_kernel.shape[-2])  # one scale per multiplier, the inner part of a channel
    bias = _values(layer.bias) if layer.use_bias else 0.0
    following = consumers[wrapper.name]
    norm = getattr(following[0], "layer", None) if len(following) == 1 else None
    if isinstance(norm, layers.BatchNormalization) and tfmot.output_range(wrapper) is None:
        mean, variance = _values(norm.moving_mean), _values(norm.moving_variance)
        factor = (_values(norm.gamma) if norm.scale else 1.0) / np.sqrt(variance + norm.epsilon)
        offset = _values(norm.beta) if norm.center else 0.0
        folded = (bias - mean) * factor + offset
        change = _snapped(folded, np.abs(step * factor)) - folded
        if norm.center:
            norm.beta.assign(offset + change)
        else:
            norm.moving_mean.assign(mean - np.divide(change, factor, out=np.zeros_like(mean), where=factor != 0))
    elif layer.use_bias:
        layer.bias.assign(_snapped(bias, np.broadcast_to(step, np.shape(bias))))


def _snapped(values: Any, steps: Any) -> np.ndarray:
    values, steps = np.broadcast_arrays(np.asarray(values, np.float64), np.asarray(steps, np.float64))
    whole = np.round(np.divide(values, steps, out=np.zeros_like(values), where=steps > 0))
    return np.where(steps > 0, whole * steps, values)


def _values(variable: Any) -> np.ndarray:
    return np.asarray(variable.numpy(), np.float64)
