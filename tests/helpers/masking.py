"""A model in which some channels are zero, run call by call: what a shrunk model has to compute.

Written against Keras alone, so that it shares nothing with what shrinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers.keras import keras
from tfkit.counting.calls import calls_of

layers = keras.layers

_SUMS = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.SeparableConv1D, layers.SeparableConv2D)
_LAYOUTS = (layers.Flatten, layers.Reshape, layers.Permute, layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
_RESIZES = (layers.MaxPooling2D, layers.AveragePooling2D, layers.ZeroPadding2D, layers.Cropping2D, layers.UpSampling2D)


def masked_outputs(model: Any, keep: Mapping[str, Any], x: np.ndarray) -> list[np.ndarray]:
    """The outputs when channels that are not in ``keep`` are zero behind their layer and ever after, until summed."""
    calls, outputs = calls_of(model)
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for call in calls:
        name = call.layer.name
        if not call.inputs:
            value, mask = x, np.ones((1, *x.shape[1:]), np.float32)
        else:
            given = [found[number] for number in call.inputs]
            if type(call.layer).__name__ == "TFOpLambda":
                value = _operator(call, [one for one, _ in given])
            else:
                value = np.asarray(call.layer([one for one, _ in given] if len(given) > 1 else given[0][0]))
            mask = _mask(call.layer, name, [mask for _, mask in given], value, keep)
        (number,) = call.outputs
        found[number] = (value * mask, mask)
    return [found[number][0] for number in outputs]


def _mask(layer: Any, name: str, masks: list[np.ndarray], value: np.ndarray, keep: Mapping[str, Any]) -> np.ndarray:
    whole = np.ones((1, *value.shape[1:]), np.float32)
    if isinstance(layer, layers.DepthwiseConv2D):
        return whole * np.repeat(_channels(masks[0]), layer.depth_multiplier)
    if isinstance(layer, _SUMS):
        kept = np.ones(value.shape[-1], np.float32)
        if name in keep:
            kept[:] = 0
            kept[np.asarray(keep[name])] = 1
        return whole * kept
    if isinstance(layer, _LAYOUTS):
        return np.asarray(layer(masks[0]))
    if isinstance(layer, _RESIZES):
        return whole * _channels(masks[0])
    if isinstance(layer, layers.Multiply) or "multiply" in type(layer).__name__ or "multiply" in name:
        return np.prod([mask * whole for mask in masks], axis=0)
    if isinstance(layer, layers.Concatenate):
        return np.concatenate(masks, axis=layer.axis)
    return np.max([mask * whole for mask in masks], axis=0)  # sums, and whatever works on each channel alone


def _channels(mask: np.ndarray) -> np.ndarray:
    return mask.max(axis=tuple(range(mask.ndim - 1)))


def _operator(call: Any, values: list[np.ndarray]) -> np.ndarray:
    """A TensorFlow function with the constants that it was called with."""
    (node,) = [node for node in call.layer._inbound_nodes if len(node.keras_inputs) == len(values)][:1]
    given = dict(zip(map(id, node.keras_inputs), values, strict=True))
    args = [given.get(id(value), value) for value in node.call_args]
    kwargs = {name: given.get(id(value), value) for name, value in node.call_kwargs.items() if name != "name"}
    return np.asarray(
        call.layer.function(*map(_constant, args), **{key: _constant(one) for key, one in kwargs.items()})
    )


def _constant(value: Any) -> Any:
    import tensorflow as tf

    return tf.constant(value) if isinstance(value, np.ndarray) else value
