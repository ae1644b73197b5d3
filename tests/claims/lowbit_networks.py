"""Time of whole few-bit networks: 2-bit weights and activations in tfkit's delegate against int8 in XNNPACK.

The same architecture twice, from stem to classifier: the few-bit one keeps its first convolution and its classifier in
float, the other is int8 throughout, by calibration. The kernel is
the one of the last convolution. Whole calls in LiteRT, one thread, in turn in one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tfkit
from tests.claims import peers, target
from tests.claims.interleaved import pinned, shortest
from tfkit import layers
from tfkit._keras import legacy_keras

TITLE = "Whole W2A2 networks, 224x224, single thread: how many times faster than int8 with XNNPACK"
LEAST = 1.0
TARGET = f"each at least {LEAST:g}x"
HEADINGS = ("network", "W2A2", "int8, XNNPACK", "times faster", "file, W2A2", "file, int8", "kernel", target.HEADING)
ROUNDS = 12
SIDE = 224

Convolve = Callable[..., Any]


def _few_bits(filters: int, size: int, strides: int = 1) -> Any:
    return layers.QuantConv2D(
        filters, size, strides=strides, padding="same", use_bias=False, kernel_quantizer="dorefa_w2",
        input_quantizer="dorefa_a2",
    )  # fmt: skip


def _floats(filters: int, size: int, strides: int = 1) -> Any:
    return legacy_keras().layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)


def _normalized(x: Any) -> Any:
    return legacy_keras().layers.BatchNormalization()(x)


def _residual(convolution: Convolve, x: Any) -> Any:
    """ResNet-18's stages (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1)."""
    keras = legacy_keras()
    for filters in (64, 128, 256, 512):
        for block in range(2):
            strides = 2 if filters > 64 and block == 0 else 1
            inner = keras.layers.ReLU()(_normalized(convolution(filters, 3, strides)(x)))
            inner = _normalized(convolution(filters, 3)(inner))
            if strides > 1:
                x = _normalized(convolution(filters, 1, strides)(x))
            x = keras.layers.ReLU()(x + inner)
    return x


def _chain(convolution: Convolve, x: Any) -> Any:
    """Convolutions one after the other with poolings between, as in VGG: bits from the first to the last."""
    keras = legacy_keras()
    for filters in (64, 128, 256, 512):
        for _ in range(2):
            x = keras.layers.ReLU()(_normalized(convolution(filters, 3)(x)))
        if filters < 512:
            x = keras.layers.MaxPool2D(2)(x)
    return x


NETWORKS = {"ResNet-18": _residual, "VGG-like, 8 convolutions": _chain}


def _build(body: Callable[[Convolve, Any], Any], convolution: Convolve) -> Any:
    keras = legacy_keras()
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.ReLU()(_normalized(_floats(64, 7, 2)(x)))
    x = body(convolution, keras.layers.MaxPool2D(3, 2, padding="same")(x))
    return keras.Model(inputs, keras.layers.Dense(1000)(keras.layers.GlobalAveragePooling2D()(x)))


def rows() -> Iterator[tuple[str, ...]]:
    """One line per network."""
    images = np.random.default_rng(0).normal(size=(2, SIDE, SIDE, 3)).astype(np.float32)
    for name, body in NETWORKS.items():
        few_bits = tfkit.convert(_build(body, _few_bits), "lowbit", strict=True, verify=False).flatbuffer
        int8 = tfkit.convert(_build(body, _floats), "int8", calibration=images, verify=False).flatbuffer
        run, chosen = peers.tfkit(few_bits)
        with pinned():
            times = shortest({"few bits": run, "int8": peers.litert(int8)}, rounds=ROUNDS)
        faster = times["int8"] / times["few bits"]
        yield (
            *(name, f"{times['few bits'] * 1e3:.2f} ms", f"{times['int8'] * 1e3:.2f} ms", f"{faster:.2f}x"),
            *(f"{len(few_bits) / 1e6:.1f} MB", f"{len(int8) / 1e6:.1f} MB", chosen["TfkitKBitConv2D"]),
            target.at_least([("W2A2", faster, LEAST)]),
        )
