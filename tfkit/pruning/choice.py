"""Which layers of a model are pruned: all that a method can work on, or a refusal that names the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import legacy_keras
from tfkit.layers import is_binary_layer

keras = legacy_keras()

_SIGN = "sign(0) = +1, so a latent weight set to zero becomes the weight +1 and nothing is pruned"
# Layers whose ``kernel`` the methods of tfkit's own know how to replace; of exactly these classes.
_WITH_KERNEL = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.Dense)


def own_kernels(layer: Any) -> list[Any]:
    """The kernel of a plain, built convolution or dense layer; nothing for any other layer."""
    return [layer.kernel] if type(layer) in _WITH_KERNEL and layer.built else []


def require_functional(model: Any, what: str) -> None:
    """Raise ``UnsupportedError`` unless ``model`` is a built functional or sequential tf_keras model."""
    if not isinstance(model, keras.Model) or not getattr(model, "outputs", None):
        raise UnsupportedError(
            f"{what} takes a built functional or sequential tf_keras model, not {type(model).__name__}"
        )


def choose(
    model: Any,
    layers: str | Sequence[str],
    kernels: Callable[[Any], list[Any]] = own_kernels,
    only_matrices: bool = False,
) -> list[str]:
    """The names of the layers to prune, in the model's order.

    Args:
        model: functional or sequential.
        layers: "all"; "float" to leave layers with binary kernels as they are; or the names of the layers to prune.
        kernels: the weights that the method can prune in a layer, none for a layer that it does not know.
        only_matrices: refuse kernels that are no matrix: all but those of dense layers and 1x1 convolutions.

    Raises:
        UsageError: ``layers`` names no layer.
        UnsupportedError: a kernel that was asked for is binary or of an unknown layer; all of them are listed.
    """
    if isinstance(layers, str) and layers not in ("all", "float"):
        raise UsageError(f"layers is 'all', 'float' or a list of layer names; got {layers!r}")
    by_name = {layer.name: layer for layer in model.layers}
    asked = list(by_name) if isinstance(layers, str) else list(layers)
    unknown = [name for name in asked if name not in by_name]
    if unknown:
        raise UsageError(f"the model has no layer {', '.join(map(repr, unknown))}; it has {', '.join(by_name)}")
    chosen, offenders = [], []
    for name in asked:
        layer = by_name[name]
        if is_binary_layer(layer):
            if layers != "float":
                offenders.append(f"{name!r} has a binary kernel: {_SIGN}; pass layers='float' to prune the others")
            continue
        found = kernels(layer)
        if found and only_matrices and any(rank(kernel) != 2 for kernel in found):
            offenders.append(
                f"{name!r} is no dense layer or 1x1 convolution, and blocks need one; name the layers to prune"
            )
        elif found:
            chosen.append(name)
        elif why := _why_not(layer, named=not isinstance(layers, str)):
            offenders.append(why)
    if offenders:
        listed = "\n".join(f"  - {offender}" for offender in offenders)
        raise UnsupportedError(f"cannot prune {model.name!r} as asked:\n{listed}")
    if not chosen:
        raise UnsupportedError(f"{model.name!r} has no kernel that pruning works on")
    return [name for name in by_name if name in set(chosen)]


def rank(weight: Any) -> int:
    """Axes longer than one: a 1x1 convolution's kernel is a matrix."""
    return sum(1 for size in weight.shape if size != 1)


def _why_not(layer: Any, named: bool) -> str | None:
    """Why a layer is not pruned; None for one that has nothing to prune and was not asked for by name."""
    if isinstance(layer, keras.Model):
        return f"{layer.name!r} is a model inside a model; call its layers on the outer model's tensors instead"
    dense = isinstance(layer, (keras.layers.DepthwiseConv2D, keras.layers.PReLU))
    if any(rank(weight) >= 2 for weight in layer.trainable_weights) and not dense:
        return (
            f"{layer.name!r} ({type(layer).__name__}) has weights that pruning does not know; name the layers to prune"
        )
    return f"{layer.name!r} ({type(layer).__name__}) has no kernel that pruning works on" if named else None
