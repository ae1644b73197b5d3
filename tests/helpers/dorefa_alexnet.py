"""AlexNet as DoReFa-Net trains it: full-precision ends, few-bit layers between, no float between those.

S. Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low Bitwidth Gradients",
arXiv:1606.06160, section 3; without the two-way split of AlexNet's convolutions, which was for two GPUs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit import layers
from tfkit._keras import legacy_keras

FEW_BIT_LAYERS = 6


def dorefa_alexnet(side: int = 224, width: float = 1.0, classes: int = 1000, seed: int = 5) -> Any:
    """2-bit weights and activations; ``width`` scales all channels."""
    keras = legacy_keras()
    keras.utils.set_random_seed(seed)

    def quantized() -> dict[str, str]:
        return {"kernel_quantizer": "dorefa_w2", "input_quantizer": "dorefa_a2"}

    def channels(count: int) -> int:
        return int(count * width)

    def convolution(x: Any, filters: int, size: int, pool: str = "") -> Any:
        x = layers.QuantConv2D(channels(filters), size, padding="same", use_bias=False, **quantized())(x)
        x = keras.layers.BatchNormalization(momentum=0.0)(x)
        return keras.layers.MaxPool2D(3, 2, padding=pool)(x) if pool else x

    x = inputs = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(channels(96), 12, strides=4)(x)
    x = convolution(x, 256, 5, pool="same")
    x = convolution(x, 384, 3, pool="same")
    x = convolution(x, 384, 3)
    x = convolution(x, 256, 3, pool="valid")
    x = keras.layers.Flatten()(x)
    for units in (4096, 4096):
        x = layers.QuantDense(channels(units), use_bias=False, **quantized())(x)
        x = keras.layers.BatchNormalization(momentum=0.0)(x)
    model = keras.Model(inputs, keras.layers.Dense(classes)(x))
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "gamma" in weight.name:
            weight.assign(rng.normal(0, 0.5, weight.shape))
        elif "beta" in weight.name:
            weight.assign(rng.normal(0.5, 0.2, weight.shape))
    # Statistics of some images, so that all levels occur.
    model(rng.normal(0.5, 0.5, (4, side, side, 3)).astype(np.float32), training=True)
    return model
