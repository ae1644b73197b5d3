"""Layer by layer: the tensors that ops with weights write, against the Keras layers they came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._keras import call_count
from tfkit.converters.declared import declared_layers
from tfkit.converters.graph import Model
from tfkit.converters.ledger import match
from tfkit.converters.parity.recording import Recording, arranged, dequantized
from tfkit.converters.parity.result import Layer
from tfkit.converters.weights import weight_ops


def compare_layers(keras: Any, model: Model, recording: Recording, activations: dict[str, np.ndarray]) -> list[Layer]:
    """One entry per op with weights that is some layer's and whose tensor some Keras activation resembles.

    The op may hold the batch normalization and activation behind the layer too: of the layer's own output and those
    of the layers after it, with the same shape, the closest counts.
    """
    layers = declared_layers(keras)
    owners = {
        op.index: layer.name
        for layer, (ops, _) in zip(layers, match(layers, weight_ops(model.main)), strict=True)
        for op in ops
    }
    order = list(activations)
    found = []
    for index, name in sorted(owners.items()):
        op = model.main.ops[index]
        values = recording.tensors.get(op.outputs[0])
        if values is None or values.dtype == np.int32:
            continue
        got = dequantized(values, model.main.tensors[op.outputs[0]])
        start = next(
            (n for n, key in enumerate(order) if key in (name, f"int8_{name}", f"quant_{name}", name.split("/")[0])),
            None,
        )
        if start is None:
            continue
        near = [activations[key] for key in order[start : start + FUSED]]
        pairs = [(y, alike) for y in near if (alike := arranged(got, y.shape)) is not None and alike.shape == y.shape]
        if not pairs:
            continue
        wanted, got = min(pairs, key=lambda pair: float(np.square(pair[0] - pair[1]).sum()))
        found.append(Layer(name, op.name, "relative", relative(wanted, got), sqnr_db(wanted, got)))
    return found


FUSED = 5  # convolution, batch normalization, add, activation, and a padding in between


def relative(wanted: np.ndarray, got: np.ndarray) -> float:
    """Largest difference relative to the largest wanted value."""
    return float(np.abs(wanted - got).max(initial=0.0)) / (float(np.abs(wanted).max(initial=0.0)) or 1.0)


def sqnr_db(wanted: np.ndarray, got: np.ndarray) -> float | None:
    """``10 log10(sum wanted^2 / sum (wanted - got)^2)`` in dB; None when nothing differs."""
    noise = float(np.square((wanted - got).astype(np.float64)).sum())
    signal = float(np.square(wanted.astype(np.float64)).sum())
    if noise == 0.0:
        return None
    return 10 * float(np.log10(max(signal, 1e-300) / noise))


def activations_of(keras: Any, arrays: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """Output of every layer with one output and one call, by name, in the model's order."""
    import tf_keras

    layers = [
        layer for layer in keras.layers if call_count(layer) == 1 and not isinstance(layer.output, list | tuple | dict)
    ]
    probe = tf_keras.Model(keras.inputs, [layer.output for layer in layers])
    outputs = probe(list(arrays) if len(arrays) > 1 else arrays[0], training=False)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    return {layer.name: np.asarray(value) for layer, value in zip(layers, outputs, strict=True)}
