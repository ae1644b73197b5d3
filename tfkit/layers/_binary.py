"""What makes a layer binary, and the warning for a layer that only looks binary."""

from __future__ import annotations

import warnings
from typing import Any

from tfkit._larq import larq
from tfkit.quantizers import Quantizer

# Attributes under which Larq's layers keep the quantizer of a kernel.
KERNEL_QUANTIZERS = ("kernel_quantizer", "depthwise_quantizer", "pointwise_quantizer")

# Where an input {0, 1} or a constant precision tag comes from; neither is a sign, whatever their ``precision``.
_NOT_SIGNS = (larq.quantizers.SteHeaviside, larq.quantizers.NoOp)


class NotBinaryWarning(UserWarning):
    """A layer was asked for binary quantizers and will not run on a binary kernel."""


def is_binary(quantizer: Any) -> bool:
    """Whether the quantizer maps to {-1, +1}, up to one positive scale per output channel.

    >>> is_binary(larq.quantizers.SteSign()), is_binary(larq.quantizers.SteTern()), is_binary(None)
    (True, False, False)
    """
    if isinstance(quantizer, Quantizer):
        return quantizer.is_sign
    return getattr(quantizer, "precision", None) == 1 and not isinstance(quantizer, _NOT_SIGNS)


def has_more_values(quantizer: Any) -> bool:
    """Whether the quantizer is known to give other values than a sign: tfkit's, and Larq's of two bits and more."""
    if isinstance(quantizer, Quantizer):
        return not quantizer.is_sign
    return isinstance(quantizer, larq.quantizers.SteTern | larq.quantizers.DoReFa) and quantizer.precision > 1


def kernel_quantizers(layer: Any) -> list[Any]:
    """The quantizers of the layer's kernels, in Larq's layers, in tfkit's, and in wrappers around them."""
    layer = getattr(layer, "layer", layer)
    found = [getattr(layer, name, None) for name in KERNEL_QUANTIZERS]
    return [quantizer for quantizer in found if quantizer is not None]


def kernels_and_quantizers(layer: Any) -> list[tuple[str, Any, Any]]:
    """(attribute of the quantizer, kernel, quantizer) of every quantized kernel of a built layer."""
    found = []
    for name in KERNEL_QUANTIZERS:
        kernel = getattr(layer, name.replace("_quantizer", "_kernel").replace("kernel_kernel", "kernel"), None)
        quantizer = getattr(layer, name, None)
        if kernel is not None and quantizer is not None:
            found.append((name, kernel, quantizer))
    return found


def is_binary_layer(layer: Any) -> bool:
    """Whether at least one kernel of the layer is binary; wrappers are looked through."""
    return any(is_binary(quantizer) for quantizer in kernel_quantizers(layer))


def quantizer_name(quantizer: Any) -> str:
    """The short name of a quantizer for a message."""
    return getattr(quantizer, "__name__", None) or type(quantizer).__name__


def warn_not_binary(layer: Any, why: tuple[str, str] | None) -> None:
    """Warn, in the name of the code that constructs ``layer``, with (reason, remedy); None says nothing.

    To be called from the ``__init__`` of a concrete layer: the stack level counts on it.
    """
    if why is not None:
        warnings.warn(
            f"{type(layer).__name__} {layer.name!r} will not run as a binary layer: {why[0]}; {why[1]}",
            NotBinaryWarning,
            stacklevel=3,
        )


def quantizer_mismatch(layer: Any) -> tuple[str, str] | None:
    """(reason, remedy) when one quantizer is binary and the other one keeps the layer from being it."""
    inputs, kernel = layer.input_quantizer, layer.kernel_quantizer
    if is_binary(kernel) == is_binary(inputs):
        return None
    if inputs is None:
        return (
            "it has a binary kernel_quantizer and no input_quantizer, a weights-only layer",
            'add input_quantizer="ste_sign"',
        )
    if kernel is None:
        return (
            "it has a binary input_quantizer and no kernel_quantizer, an activations-only layer",
            'add kernel_quantizer="ste_sign"',
        )
    if is_binary(kernel):
        return (
            f"input_quantizer {quantizer_name(inputs)} does not give -1 and +1",
            'use input_quantizer="ste_sign" or "approx_sign"',
        )
    return (
        f"kernel_quantizer {quantizer_name(kernel)} does not give -1 and +1",
        'use kernel_quantizer="ste_sign" or "magnitude_aware_sign"',
    )


def no_kernel(layer: Any, why: str, remedy: str) -> tuple[str, str] | None:
    """(reason, remedy) for a layer of a kind that has no binary kernel, when a quantizer of it is binary."""
    quantizers = [getattr(layer, "input_quantizer", None), *kernel_quantizers(layer)]
    return (why, remedy) if any(is_binary(quantizer) for quantizer in quantizers) else None
