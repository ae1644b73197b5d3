"""What precisions cost in signal: a risk that ranks layers, and no promise of an accuracy.

For each layer and precision the kernel w and the inputs x are quantized after training, as well as that can be done
without any, and

    noise = E[(w - q(w))²] / E[w²] + E[(x - q(x))²] / E[x²]

is the noise-to-signal ratio of a sum of many products of the two when their errors are independent; its negative
logarithm is the SNR in dB that tables show. Binary: sign times the mean magnitude of a channel, and of all inputs
(Rastegari et al. 2016, https://arxiv.org/abs/1603.05279, section 3.1). Few-bit: four levels with the step that errs
least. int8: 255 levels from the largest magnitude of a channel; inputs 256 levels over their range.

Inputs are those of the layer for the given data; without data, a normal distribution cut off at 0 where a ReLU is read.
Training takes back much of what this says is lost, differently for each network; that is why it is only a risk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfkit._keras import legacy_keras
from tfkit.quantization.flatten import flatten

LIMIT = 1 << 16  # values of a tensor that are looked at
_STEPS = np.linspace(0.1, 1.2, 23)  # of the standard deviation, or of the largest magnitude


def noises(model: Any, names: Sequence[str], samples: np.ndarray | None) -> dict[str, dict[str, float]]:
    """Layer -> precision -> noise-to-signal ratio; ``samples`` are network inputs."""
    flat = flatten(model)
    inputs = _inputs(flat, names, samples)
    found = {}
    for name in names:
        kernel = flat.get_layer(name).kernel.numpy()
        weights = kernel.reshape(-1, kernel.shape[-1])  # [sum, output channel]
        given = _few(inputs[name])
        found[name] = {"float": 0.0} | {
            precision: _ratio(weights, rounded(weights)) + _ratio(given, read(given))
            for precision, (rounded, read) in _QUANTIZED.items()
        }
    return found


def decibels(noise: float) -> float:
    """The SNR of a noise-to-signal ratio."""
    return float(-10 * np.log10(noise)) if noise > 0 else float("inf")


def int8_weights(values: np.ndarray) -> np.ndarray:
    """[sum, channel], each channel on 255 levels."""
    scale = np.abs(values).max(0, keepdims=True) / 127
    return np.asarray(np.round(values / np.where(scale > 0, scale, 1)) * scale)


def int8_inputs(values: np.ndarray) -> np.ndarray:
    """On 256 levels over the range, which holds 0."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    step = (high - low) / 255 or 1.0
    return np.asarray(np.round((values - low) / step) * step + low)


def few_bit_weights(values: np.ndarray) -> np.ndarray:
    """[sum, channel] on {-2, -1, 0, 1} times the step that errs least over the kernel."""
    return _best([np.clip(np.round(values / step), -2, 1) * step for step in _scaled(values)], values)


def few_bit_inputs(values: np.ndarray) -> np.ndarray:
    """On {0, 1, 2, 3} times the step that errs least; what is negative becomes 0."""
    return _best([np.clip(np.round(values / step), 0, 3) * step for step in _scaled(values)], values)


def binary_weights(values: np.ndarray) -> np.ndarray:
    """[sum, channel]: signs times the mean magnitude of the channel."""
    return np.asarray(np.where(values >= 0, 1.0, -1.0) * np.abs(values).mean(0, keepdims=True))


def binary_inputs(values: np.ndarray) -> np.ndarray:
    """Signs times the mean magnitude, about the mean where nothing is negative (a bias takes that up)."""
    centre = float(values.mean()) if values.size and values.min() >= 0 else 0.0
    moved = values - centre
    return np.asarray(np.where(moved >= 0, 1.0, -1.0) * np.abs(moved).mean() + centre)


_QUANTIZED = {
    "int8": (int8_weights, int8_inputs),
    "few-bit": (few_bit_weights, few_bit_inputs),
    "binary": (binary_weights, binary_inputs),
}


def _ratio(values: np.ndarray, rounded: np.ndarray) -> float:
    power = float(np.mean(np.square(values, dtype=np.float64)))
    return float(np.mean(np.square(values - rounded, dtype=np.float64))) / power if power > 0 else 0.0


def _scaled(values: np.ndarray) -> np.ndarray:
    deviation = float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
    return np.asarray(_STEPS * (deviation or 1.0))


def _best(candidates: Sequence[np.ndarray], values: np.ndarray) -> np.ndarray:
    return min(candidates, key=lambda rounded: float(np.mean((values - rounded) ** 2)))


def _few(values: np.ndarray) -> np.ndarray:
    flat = values.ravel()
    return flat[:: max(1, flat.size // LIMIT)]


def _inputs(flat: Any, names: Sequence[str], samples: np.ndarray | None) -> Mapping[str, np.ndarray]:
    """What each layer reads."""
    if samples is None:
        drawn = np.random.default_rng(0).standard_normal(LIMIT)
        return {name: np.maximum(drawn, 0) if _reads_relu(flat.get_layer(name)) else drawn for name in names}
    keras = legacy_keras()
    probe = keras.Model(flat.inputs, [flat.get_layer(name).input for name in names])
    outputs = probe.predict(samples, verbose=0)
    return dict(zip(names, outputs if isinstance(outputs, list) else [outputs], strict=True))


def _reads_relu(layer: Any) -> bool:
    source = getattr(layer.input, "_keras_history", (None,))[0]
    if source is None:
        return False
    kind = type(source).__name__
    return kind == "ReLU" or getattr(getattr(source, "activation", None), "__name__", "") in ("relu", "relu6")
