"""Which variables are binary kernels, and an optimizer that treats them as such."""

from __future__ import annotations

from typing import Any

from tfkit._errors import UsageError
from tfkit._keras import flat_layers, legacy_keras
from tfkit._larq import larq
from tfkit.layers import is_binary
from tfkit.layers._binary import KERNEL_QUANTIZERS

keras = legacy_keras()
Bop = larq.optimizers.Bop
CaseOptimizer = larq.optimizers.CaseOptimizer


def binary_kernels(model: Any) -> list[Any]:
    """The trainable kernels of a model that a quantizer maps to {-1, +1}, nested layers included, each once."""
    found: dict[int, Any] = {}
    for layer in flat_layers(model):
        for name in KERNEL_QUANTIZERS:
            kernel = getattr(layer, name.replace("_quantizer", "_kernel").replace("kernel_kernel", "kernel"), None)
            if kernel is not None and layer.trainable and is_binary(getattr(layer, name, None)):
                found[id(kernel)] = kernel
    return list(found.values())


def bop_and_adam(model: Any, learning_rate: Any, *, gamma: float = 1e-3, threshold: float = 1e-7) -> Any:
    """Bop for the binary kernels of ``model``, Adam for every other variable.

    For each weight w in {-1, +1} with gradient g, Bop keeps m ← (1 - γ) · m + γ · g and flips w when
    w · m > τ: when |m| exceeds the threshold and has the sign of the weight.
    The first step turns latent weights into their signs.

    Args:
        model: a built model with binary layers.
        learning_rate: of Adam, a number or a schedule.
        gamma: γ, the adaptivity rate, a number or a schedule.
        threshold: τ, the signal that flips a weight.

    Raises:
        UsageError: the model has no binary kernel, or one whose quantizer lets no gradient through at ±1.

    Source: Helwegen et al. 2019, https://arxiv.org/abs/1906.02107, algorithm 1.
    """
    kernels = binary_kernels(model)
    if not kernels:
        raise UsageError(f"{model.name!r} has no binary kernel for Bop; train it with adam or sgd")
    stuck = [layer.name for layer in flat_layers(model) if _is_stuck(layer)]
    if stuck:
        raise UsageError(
            f"Bop keeps weights at -1 and +1, where the kernel quantizer of {', '.join(map(repr, stuck))} has no "
            'gradient; use kernel_quantizer="ste_sign" or train with adam'
        )
    chosen = {kernel.ref() for kernel in kernels}
    return CaseOptimizer(
        (lambda variable: variable.ref() in chosen, Bop(threshold=threshold, gamma=gamma)),
        default_optimizer=keras.optimizers.legacy.Adam(learning_rate),
    )


def _is_stuck(layer: Any) -> bool:
    """Whether a binary kernel quantizer of the layer has gradient zero at both -1 and +1."""
    import tensorflow as tf

    for name in KERNEL_QUANTIZERS:
        quantizer: Any = getattr(layer, name, None)
        if is_binary(quantizer):
            ends = tf.constant([[-1.0, 1.0]])
            with tf.GradientTape() as tape:
                tape.watch(ends)
                outputs = quantizer(ends)
            gradient = tape.gradient(outputs, ends)
            if gradient is None or not tf.reduce_any(gradient != 0):
                return True
    return False
