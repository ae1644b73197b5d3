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
from tfkit.pruning.choice import choose, require_functional
from tfkit.pruning.method import PruningSteps, finish, pruning_of
from tfkit.pruning.reparameterized import Reparameterized
from tfkit.pruning.tfmot import PruneLowMagnitude

keras = legacy_keras()


def is_pruned(model: Any) -> bool:
    """Whether the model, or one inside it, is being pruned: it wears wrappers, or a method is at work in it."""
    wrappers = (PruneLowMagnitude, Reparameterized)
    return pruning_of(model) is not None or any(isinstance(layer, wrappers) for layer in flat_layers(model))


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
    require_functional(model, "prune")
    if is_pruned(model):
        raise UnsupportedError(f"{model.name!r} is being pruned already; call tfkit.strip(model) first")
    chosen = choose(model, layers, _kernels, only_matrices=block_size != (1, 1))
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


def callbacks(model: Any = None) -> list[Any]:
    """What ``model.fit(..., callbacks=...)`` needs for a model that is being pruned.

    For one made by ``prepare``, the steps of its method; for one made by ``prune`` (which need not be given), the step
    counter behind the schedule.
    """
    pruning = pruning_of(model)
    return [UpdatePruningStep()] if pruning is None else [PruningSteps(pruning)]


def strip(model: Any) -> Any:
    """The pruned model without its wrappers, zeros in place; a model without wrappers is returned as it is."""
    if pruning_of(model) is not None:
        return finish(model)
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
        inner = layer.layer if isinstance(layer, (PruneLowMagnitude, Reparameterized)) else layer
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
