"""What quantizers add to a training step: the same network, float and quantized, step by step in turn.

A step is ``Model.train_on_batch`` (forward, backward, Adam) on CIFAR-like images. All convolutions but the first have
the quantizers, for weights and activations where the method has both. ``python -m tests.claims.quantizer_training``
prints the table, with names behind it ("lq 2,abc 3") only those rows.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tests.claims.interleaved import shortest
from tfkit._keras import legacy_keras
from tfkit.layers import NotBinaryWarning, QuantConv2D

keras = legacy_keras()
TITLE = "Training steps of quantized networks"
TARGET = "DoReFa, the binary family and LQ-Net at most 1.5 times the float network's step"
HEADINGS = ("network", "quantizers", "step against float")
BATCH = 32
Pair = tuple[str | None, str | None]  # kernel and input quantizer
METHODS: dict[str, Pair] = {
    "bwn": ("bwn", None),
    "binary connect, stochastic": ("binary_connect_stochastic", None),
    "bnn": ("bnn", "bnn"),
    "xnor": ("xnor_weights", "xnor_activations"),
    "bi-real": ("magnitude_aware_sign", "approx_sign"),
    "abc 3": ("abc_w3", "abc_a3"),
    "dorefa 1": ("dorefa_w1", "dorefa_a1"),
    "dorefa 2": ("dorefa_w2", "dorefa_a2"),
    "lsq 2": ("lsq_w2", "lsq_a2"),
    "lq 2": ("lq_w2", "lq_a2"),
    "lq 3": ("lq_w3", "lq_a3"),
    "lq 4": ("lq_w4", "lq_a4"),
}


def _convolution(x: Any, filters: int, size: int, strides: int, quantizers: Pair | None) -> Any:
    """Normalization, ReLU, convolution; quantized ones read the normalization, as quantizers are made to."""
    x = keras.layers.BatchNormalization()(x)
    if quantizers is None:
        return keras.layers.Conv2D(filters, size, strides, "same", use_bias=False)(keras.layers.ReLU()(x))
    kernel, inputs = quantizers
    if inputs is None:
        x = keras.layers.ReLU()(x)
    layer = QuantConv2D(filters, size, strides, "same", use_bias=False, kernel_quantizer=kernel, input_quantizer=inputs)
    return layer(x)


def wide_resnet(quantizers: Pair | None) -> Any:
    """WRN-16-2: three groups of two blocks with 32, 64 and 128 channels."""
    inputs = keras.layers.Input((32, 32, 3))
    x = keras.layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    for group, filters in enumerate((32, 64, 128)):
        for block in range(2):
            strides = 2 if group and not block else 1
            y = _convolution(x, filters, 3, strides, quantizers)
            y = _convolution(y, filters, 3, 1, quantizers)
            shortcut = x if block else keras.layers.Conv2D(filters, 1, strides, use_bias=False)(x)
            x = keras.layers.Add()([shortcut, y])
    return _classified(inputs, x)


def densenet(quantizers: Pair | None) -> Any:
    """DenseNet-BC-40 with growth rate 12: three groups of six bottleneck layers."""
    inputs = keras.layers.Input((32, 32, 3))
    x = keras.layers.Conv2D(24, 3, padding="same", use_bias=False)(inputs)
    for group in range(3):
        for _ in range(6):
            y = _convolution(x, 48, 1, 1, quantizers)
            y = _convolution(y, 12, 3, 1, quantizers)
            x = keras.layers.Concatenate()([x, y])
        if group < 2:
            x = keras.layers.AveragePooling2D()(_convolution(x, x.shape[-1] // 2, 1, 1, quantizers))
    return _classified(inputs, x)


def _classified(inputs: Any, x: Any) -> Any:
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return keras.Model(inputs, keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(x)))


NETWORKS = {"WRN-16-2": wide_resnet, "DenseNet-BC-40": densenet}


def rows(rounds: int = 3, names: Sequence[str] = tuple(METHODS)) -> Iterator[tuple[str, str, str]]:
    """One row a network and pair of quantizers; all are measured in turn with the float network."""
    rng = np.random.default_rng(1)
    images = rng.normal(size=(BATCH, 32, 32, 3)).astype(np.float32)
    labels = rng.integers(0, 10, BATCH)
    for name, make in NETWORKS.items():
        steps = {"float": _step(make(None), images, labels)}
        for method in names:
            steps[method] = _step(make(METHODS[method]), images, labels)
        best = shortest(steps, rounds=rounds, clock=time.process_time)
        for method in names:
            yield name, method, f"{best[method] / best['float']:.2f}"


def _step(model: Any, images: np.ndarray, labels: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotBinaryWarning)
        model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.train_on_batch(images, labels)
    return lambda: model.train_on_batch(images, labels)


if __name__ == "__main__":
    import sys

    for row in rows(names=sys.argv[1].split(",") if len(sys.argv) > 1 else tuple(METHODS)):
        sys.stdout.write(" | ".join(row) + "\n")
        sys.stdout.flush()
