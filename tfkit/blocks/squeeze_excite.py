"""Squeeze-and-excite: channels weighted by what the whole image contains."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras
from tfkit.blocks.hard_swish import hard_sigmoid

keras = legacy_keras()
layers = keras.layers


def squeeze_excite(x: Any, filters: int, *, activation: str = "relu", gate: str = "sigmoid", name: str) -> Any:
    """y = x · gate(W2 · act(W1 · mean(x) + b1) + b2), one gate in [0, 1] per channel; the shape stays.

    ``filters``: channels after the squeeze W1. ``activation``: of the squeeze, a Keras name. ``gate``:
    "sigmoid", or "hard_sigmoid" for relu6(x + 3) / 6.
    x: (batch, height, width, channels).
    Source: Squeeze-and-excitation networks, https://arxiv.org/abs/1709.01507, section 3; hard form: MobileNetV3,
    https://arxiv.org/abs/1905.02244, section 5.3.

    Raises:
        ValueError: ``gate`` is neither of the two.
    """
    if gate not in ("sigmoid", "hard_sigmoid"):
        raise ValueError(f'gate is "sigmoid" or "hard_sigmoid", not {gate!r}')
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    y = layers.Conv2D(filters, 1, kernel_initializer="he_normal", name=f"{name}_squeeze")(y)
    y = layers.Activation(activation, name=f"{name}_squeeze_{activation}")(y)
    y = layers.Conv2D(x.shape[-1], 1, name=f"{name}_excite")(y)
    if gate == "hard_sigmoid":
        y = hard_sigmoid(y, name=f"{name}_gate")
    else:
        y = layers.Activation("sigmoid", name=f"{name}_gate")(y)
    return layers.Multiply(name=name)([x, y])
