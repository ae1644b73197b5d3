"""Layers by their definitions in NumPy, to compose what a block must compute: NHWC, padding "same" unless told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from helpers.keras import keras, shake_normalizations, values_with_edges


def block_model(block: Callable[[Any], Any], shape: tuple[int, int, int], seed: int) -> Any:
    """A model of one block whose normalizations and biases are those of a trained network."""
    keras.utils.set_random_seed(seed)
    inputs = keras.layers.Input(shape)
    model = shake_normalizations(keras.Model(inputs, block(inputs)), seed)
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if getattr(layer, "use_bias", False):
            layer.bias.assign(rng.uniform(-0.5, 0.5, layer.bias.shape))
    return model


def check_block(model: Any, formula: Callable[[np.ndarray, Weights], np.ndarray], seed: int) -> None:
    """The model computes ``formula(x, weights)``, on data with exact zeros and clip edges."""
    x = values_with_edges((2, *model.input_shape[1:]), seed)
    expected = formula(x, Weights(model))
    scale = max(1.0, float(np.abs(expected).max()))
    found = model(x, training=False).numpy()  # eagerly, which saves compiling a function for one call
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * scale, err_msg=f"seed {seed}")


class Weights:
    """What a formula asks of a model: kernels and normalizations by the name of the layer."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def kernel(self, name: str) -> np.ndarray:
        found: np.ndarray = self._model.get_layer(name).get_weights()[0]
        return found

    def bias(self, name: str) -> np.ndarray:
        found: np.ndarray = self._model.get_layer(name).get_weights()[1]
        return found

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        """(x - mean) / sqrt(variance + epsilon) · gamma + beta with the layer's statistics; gamma may be left out."""
        layer = self._model.get_layer(name)
        *gammas, beta, mean, variance = layer.get_weights()
        gamma = gammas[0] if gammas else 1.0
        result: np.ndarray = (x - mean) / np.sqrt(variance + layer.epsilon) * gamma + beta
        return result

    def depthwise_norm(self, x: np.ndarray, name: str, strides: int = 1) -> np.ndarray:
        """The depthwise convolution ``name`` and the normalization after it."""
        return self.norm(conv(x, np.swapaxes(self.kernel(name), 2, 3), strides, groups=x.shape[-1]), f"{name}_bn")

    def conv_norm(self, x: np.ndarray, name: str, **arguments: Any) -> np.ndarray:
        """The convolution ``name`` and the normalization after it."""
        return self.norm(conv(x, self.kernel(name), **arguments), f"{name}_bn")

    def conv_norm_relu(self, x: np.ndarray, name: str, **arguments: Any) -> np.ndarray:
        return relu(self.conv_norm(x, name, **arguments))

    def norm_relu_conv(self, x: np.ndarray, name: str, **arguments: Any) -> np.ndarray:
        """The normalization before the convolution ``name``, ReLU, and the convolution."""
        return conv(relu(self.norm(x, f"{name}_bn")), self.kernel(name), **arguments)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def conv(
    x: np.ndarray,
    kernel: np.ndarray,
    strides: int = 1,
    *,
    groups: int = 1,
    padding: str = "same",
    pad_value: float = 0.0,
) -> np.ndarray:
    """Sum over the kernel's positions; groups one after the other."""
    outputs = []
    for part, parts in zip(np.split(x, groups, -1), np.split(kernel, groups, -1), strict=True):
        patches = windows(part, kernel.shape[:2], strides, padding, pad_value)
        outputs.append(np.einsum("bhwijc,ijcf->bhwf", patches, parts, optimize=True))
    return np.concatenate(outputs, -1)


def max_pool(x: np.ndarray, size: int, strides: int, padding: str = "same") -> np.ndarray:
    result: np.ndarray = windows(x, (size, size), strides, padding, -np.inf).max(axis=(3, 4))
    return result


def average_pool(x: np.ndarray, size: int, strides: int, padding: str = "same") -> np.ndarray:
    """The mean over the pixels that exist."""
    total = windows(x, (size, size), strides, padding, 0.0).sum(axis=(3, 4))
    count = windows(np.ones_like(x), (size, size), strides, padding, 0.0).sum(axis=(3, 4))
    result: np.ndarray = total / count
    return result


def windows(x: np.ndarray, size: Sequence[int], strides: int, padding: str, pad_value: float) -> np.ndarray:
    """(batch, rows, columns, i, j, channels): what stands under the kernel at each output pixel."""
    margins = [(0, 0)]
    for extent, reach in zip(x.shape[1:3], size, strict=True):
        missing = max((-(-extent // strides) - 1) * strides + reach - extent, 0) if padding == "same" else 0
        margins.append((missing // 2, missing - missing // 2))
    padded = np.pad(x, [*margins, (0, 0)], constant_values=pad_value)
    found = np.lib.stride_tricks.sliding_window_view(padded, tuple(size), axis=(1, 2))[:, ::strides, ::strides]
    return np.moveaxis(found, 3, -1)
