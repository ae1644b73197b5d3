"""The optimizer that a recipe asks for, and its state as a list of variables."""

from __future__ import annotations

from typing import Any

from tfkit._errors import UsageError
from tfkit._keras import flat_layers, legacy_keras
from tfkit.optimizers import binary_kernels, bop_and_adam
from tfkit.training.recipes import Recipe
from tfkit.training.schedules import RecipeSchedule

keras = legacy_keras()


def make_optimizer(model: Any, recipe: Recipe, steps: int) -> Any:
    """The optimizer of ``recipe`` for ``model`` and a run of ``steps`` steps, with all its variables.

    Raises:
        UsageError: the recipe does not go with the model.
    """
    schedule = RecipeSchedule.of(recipe, steps)
    if recipe.optimizer == "bop":
        if recipe.weight_decay:
            raise UsageError("bop has no weight decay: a flipped weight cannot shrink; set weight_decay to 0")
        optimizer = bop_and_adam(model, schedule, gamma=recipe.gamma, threshold=recipe.threshold)
        _create_slots(model, optimizer)
        return optimizer
    decay = recipe.weight_decay or None
    if recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(
            schedule, momentum=recipe.momentum, nesterov=recipe.momentum > 0, weight_decay=decay
        )
    else:
        optimizer = keras.optimizers.Adam(schedule, weight_decay=decay)
    if decay:
        decaying = {variable.ref() for variable in decaying_weights(model)}
        optimizer.exclude_from_weight_decay(
            var_list=[variable for variable in model.trainable_variables if variable.ref() not in decaying]
        )
    if recipe.precision == "float16":
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def decaying_weights(model: Any) -> list[Any]:
    """What weight decay is for: kernels, but no biases, normalizations, activation slopes or latent binary weights."""
    latent = {kernel.ref() for kernel in binary_kernels(model)}
    slopes = {
        weight.ref()
        for layer in flat_layers(model)
        if isinstance(layer, keras.layers.PReLU)
        for weight in layer.weights
    }
    return [
        variable
        for variable in model.trainable_variables
        if len(variable.shape) >= 2 and variable.ref() not in latent | slopes
    ]


def optimizer_state(optimizer: Any) -> list[Any]:
    """Every variable that decides what the optimizer does next; the learning rate follows from the step."""
    is_legacy = isinstance(optimizer, keras.optimizers.legacy.Optimizer)
    return list(optimizer.weights if is_legacy else optimizer.variables)


def _create_slots(model: Any, optimizer: Any) -> None:
    """Make a legacy optimizer create its variables, which it does in its first step; the step is undone."""
    import tensorflow as tf

    weights = model.get_weights()
    optimizer.apply_gradients([(tf.zeros(variable.shape), variable) for variable in model.trainable_variables])
    model.set_weights(weights)
    for variable in optimizer.weights:
        variable.assign(tf.zeros_like(variable))
