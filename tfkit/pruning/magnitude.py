"""Unstructured and block magnitude pruning with a polynomial schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorflow_model_optimization.sparsity.keras import (
    PolynomialDecay,
    UpdatePruningStep,
    strip_pruning,
)

from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import flat_layers, legacy_keras
from tfkit._rebuild import rebuilt
from tfkit.layers import is_binary_layer
from tfkit.metadata import attach_metadata, metadata_of
from tfkit.pruning import tfmot
from tfkit.pruning.tfmot import PruneLowMagnitude

keras = legacy_keras()

_SIGN = "sign(0) = +1, so a latent weight set to zero becomes the weight +1 and nothing is pruned"


def is_pruned(model: Any) -> bool:
    """Whether the model, or one inside it, still wears pruning wrappers."""
    return any(isinstance(layer, PruneLowMagnitude) for layer in flat_layers(model))


def prune(
    model: Any,
    sparsity: float = 0.8,
    *,
    begin_step: int = 0,
    end_step: int = 1000,
    frequency: int = 10,
    block_size: tuple[int, int] = (1, 1),
    layers: str | Sequence[str] = "all",
) -> Any:
    """A copy of ``model`` that loses its smallest weights while it trains; ``model`` is left alone.

    At step t the share s(t) of each kernel is zero:
        s(t) = sparsity · (1 - (1 - (t - begin_step) / (end_step - begin_step))³)
    (Zhu and Gupta, https://arxiv.org/abs/1710.01878, equation 1). Train with ``tfkit.pruning.callbacks()``,
    then ``tfkit.strip``. Depthwise kernels, biases and normalizations stay dense: they hold few weights.

    Args:
        model: a functional or sequential tf_keras model. Names, weights and metadata are kept.
        sparsity: the final share of zeros in each kernel, inside (0, 1).
        begin_step: the training step (batch) at which pruning begins.
        end_step: the step at which ``sparsity`` is reached; train longer than that.
        frequency: steps between two updates of the masks.
        block_size: (inputs, outputs) that are zero together; for dense layers and 1x1 convolutions only.
        layers: "all"; "float" to leave layers with binary kernels as they are; or the names of the layers to prune.

    Raises:
        UsageError: an argument is out of range, or names no layer.
        UnsupportedError: a kernel that was asked for is binary or of an unknown layer; all of them are listed.
    """
    _check_arguments(sparsity, begin_step, end_step, frequency, block_size)
    if not isinstance(model, keras.Model) or not getattr(model, "outputs", None):
        raise UnsupportedError(
            f"prune takes a built functional or sequential tf_keras model, not {type(model).__name__}"
        )
    if is_pruned(model):
        raise UnsupportedError(f"{model.name!r} is being pruned already; call tfkit.strip(model) first")
    chosen = _choose(model, layers, block_size)
    copies: dict[str, Any] = {}

    def clone(layer: Any) -> Any:
        copies[layer.name] = copy = type(layer).from_config(layer.get_config())
        if layer.name not in chosen:
            return copy
        schedule = PolynomialDecay(0.0, sparsity, begin_step, end_step, power=3, frequency=frequency)
        return PruneLowMagnitude(copy, pruning_schedule=schedule, block_size=block_size)

    wrapped = keras.models.clone_model(model, clone_function=clone)
    for layer in model.layers:
        if layer.weights:
            copies[layer.name].set_weights(layer.get_weights())
    return attach_metadata(rebuilt(wrapped, tfmot.custom_objects()), metadata_of(model))


def callbacks() -> list[Any]:
    """What ``model.fit(..., callbacks=...)`` needs for a pruned model: the step counter behind the schedule."""
    return [UpdatePruningStep()]


def strip(model: Any) -> Any:
    """The pruned model without its wrappers, zeros in place; a model without wrappers is returned as it is."""
    if not is_pruned(model):
        return model
    for layer in flat_layers(model):
        if isinstance(layer, PruneLowMagnitude):
            for weight, mask in tfmot.masked(layer):
                weight.assign(weight * mask)  # the last optimizer step came after the last masking
    return attach_metadata(strip_pruning(model), metadata_of(model))


def sparsity(model: Any) -> dict[str, float]:
    """The share of zeros in the kernel of every layer that has one that pruning works on."""
    found = {}
    for layer in model.layers:
        inner = layer.layer if isinstance(layer, PruneLowMagnitude) else layer
        kernels = _kernels(inner)
        if kernels:
            zeros = sum(int(np.sum(kernel.numpy() == 0)) for kernel in kernels)
            found[inner.name] = zeros / sum(int(np.prod(kernel.shape)) for kernel in kernels)
    return found


def _check_arguments(share: float, begin_step: int, end_step: int, frequency: int, block_size: tuple[int, int]) -> None:
    if not 0 < share < 1:
        raise UsageError(f"sparsity is the final share of zeros, inside (0, 1); got {share}")
    if not 0 <= begin_step < end_step:
        raise UsageError(f"pruning needs 0 <= begin_step < end_step; got {begin_step} and {end_step}")
    if frequency < 1:
        raise UsageError(f"frequency is a number of training steps, at least 1; got {frequency}")
    if len(block_size) != 2 or min(block_size) < 1:
        raise UsageError(f"block_size is (inputs, outputs), both at least 1; got {block_size}")


def _kernels(layer: Any) -> list[Any]:
    """The weights to prune in a layer: none in a binary one, nor in one that TF-MOT does not know."""
    return [] if is_binary_layer(layer) else tfmot.kernels(layer)


def _choose(model: Any, layers: str | Sequence[str], block_size: tuple[int, int]) -> set[str]:
    """The names of the layers to wrap."""
    if isinstance(layers, str) and layers not in ("all", "float"):
        raise UsageError(f"layers is 'all', 'float' or a list of layer names; got {layers!r}")
    asked = [layer.name for layer in model.layers] if isinstance(layers, str) else list(layers)
    by_name = {layer.name: layer for layer in model.layers}
    unknown = [name for name in asked if name not in by_name]
    if unknown:
        raise UsageError(f"the model has no layer {', '.join(map(repr, unknown))}; it has {', '.join(by_name)}")
    chosen, offenders = set(), []
    for name in asked:
        layer = by_name[name]
        kernels = _kernels(layer)
        if is_binary_layer(layer):
            if layers != "float":
                offenders.append(f"{name!r} has a binary kernel: {_SIGN}; pass layers='float' to prune the others")
        elif kernels and block_size != (1, 1) and any(_rank(kernel) != 2 for kernel in kernels):
            offenders.append(
                f"{name!r} is no dense layer or 1x1 convolution, and blocks need one; name the layers to prune"
            )
        elif kernels:
            chosen.add(name)
        elif isinstance(layer, keras.Model):
            offenders.append(
                f"{name!r} is a model inside a model; call its layers on the outer model's tensors instead"
            )
        elif any(_rank(weight) >= 2 for weight in layer.trainable_weights) and not _stays_dense(layer):
            offenders.append(
                f"{name!r} ({type(layer).__name__}) has weights that pruning does not know; name the layers to prune"
            )
        elif not isinstance(layers, str):
            offenders.append(f"{name!r} ({type(layer).__name__}) has no kernel that pruning works on")
    if offenders:
        listed = "\n".join(f"  - {offender}" for offender in offenders)
        raise UnsupportedError(f"cannot prune {model.name!r} as asked:\n{listed}")
    if not chosen:
        raise UnsupportedError(f"{model.name!r} has no kernel that pruning works on")
    return chosen


def _rank(weight: Any) -> int:
    """Axes longer than one: a 1x1 convolution's kernel is a matrix."""
    return sum(1 for size in weight.shape if size != 1)


def _stays_dense(layer: Any) -> bool:
    return isinstance(layer, (keras.layers.DepthwiseConv2D, keras.layers.PReLU))
