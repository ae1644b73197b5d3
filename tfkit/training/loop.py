"""``fit``: train a classifier by a recipe, epoch by epoch, so that every epoch can be the first after a pause."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tfkit._errors import TrainingError, UsageError
from tfkit._keras import flat_layers, legacy_keras
from tfkit.data import Dataset
from tfkit.layers import is_binary_layer
from tfkit.metadata import metadata_of
from tfkit.optimizers import binary_kernels
from tfkit.pruning import callbacks as pruning_callbacks
from tfkit.pruning import is_pruned
from tfkit.quantization import calibrate, is_quantize_aware, settle
from tfkit.quantizers import Quantizer
from tfkit.training.checkpoint import CheckpointFile, Row, State
from tfkit.training.logs import Logs
from tfkit.training.losses import cross_entropy
from tfkit.training.optimizers import make_optimizer, optimizer_state
from tfkit.training.precision import in_precision
from tfkit.training.quantized import quantizer_callbacks
from tfkit.training.randomness import EpochRandomness, replayable
from tfkit.training.recipes import RECIPES, Recipe
from tfkit.training.schedules import RecipeSchedule
from tfkit.training.streams import check_fit, first_inputs, network_batches

keras = legacy_keras()

# (epoch from 1, number of epochs, {"loss": ..., "accuracy": ..., "val_accuracy": ...})
Progress = Callable[[int, int, Mapping[str, float]], None]
# (epoch from 1, number of epochs, step from 1, steps per epoch, {"loss": ..., "accuracy": ...} of the epoch so far)
StepProgress = Callable[[int, int, int, int, Mapping[str, float]], None]

_CALIBRATION_SAMPLES = 256
_HISTORY = ("loss", "accuracy", "val_loss", "val_accuracy")


def fit(
    model: Any,
    dataset: Dataset,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    step_progress: StepProgress | None = None,
    recipe: str | Recipe | None = None,
    checkpoint: str | os.PathLike[str] | CheckpointFile | None = None,
    stage: int = 0,
    log_dir: str | os.PathLike[str] | None = None,
    log_name: str = "training",
) -> dict[str, list[float]]:
    """Train ``model`` in place on raw data; the model's preprocessing is applied here.

    Cross entropy, minimized as the recipe says. Latent binary weights are clipped by their layers. A
    quantization-aware model has its activation ranges set from training data before every epoch and is settled
    after the last one; a pruned model gets the step counter that its schedule needs.
    One seed gives one result on one machine: what is random in an epoch depends on the seed and the number of the
    epoch only, so a run that was interrupted and goes on from its checkpoint ends with the same bits.

    Args:
        model: a classifier with outputs (batch, classes), logits or a softmax.
        dataset: raw images and class numbers; the test split is evaluated after every epoch.
        epochs: passes over the training data; the recipe's when None.
        batch_size: samples per step; the recipe's when None.
        learning_rate: the highest one; the recipe's when None.
        seed: of shuffling, augmentation, dropout and everything else random.
        progress: called after every epoch.
        step_progress: called after every step.
        recipe: a name in ``tfkit.training.RECIPES``, or a recipe of your own
            (``dataclasses.replace(RECIPES["adam"], label_smoothing=0.1)``); ``recipe_of(model)`` when None.
        checkpoint: a file that is written before the first and after every epoch and continued from when it
            exists; deleted at the end when it is given by its path.
        stage: number of this call in a run of several that share one ``CheckpointFile``.
        log_dir: a folder for ``NAME.csv`` and TensorBoard events in ``NAME/``.
        log_name: the NAME.

    Returns:
        "loss", "accuracy", "val_loss", "val_accuracy": one value per epoch, those before a pause included.

    Raises:
        DataError: images or classes do not fit the model, or lie outside the range of its preprocessing.
        UsageError: a setting makes no sense, does not go with the model, or differs from those of the checkpoint.
        ModelError: the checkpoint is damaged.
        TrainingError: the loss is not finite.
    """
    name = recipe_of(model) if recipe is None else recipe
    chosen = RECIPES[name] if isinstance(name, str) else name
    given = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    chosen = replace(chosen, **{key: value for key, value in given.items() if value is not None}).check()  # type: ignore[arg-type]
    check_fit(model, dataset)
    if checkpoint is None or isinstance(checkpoint, CheckpointFile):
        file = checkpoint
    else:
        file = CheckpointFile(checkpoint, _settings(model, dataset, chosen, seed))
    logs = None if log_dir is None else Logs(log_dir, log_name)
    network = in_precision(model, chosen.precision)
    with replayable(network) as randomness, dataset.naming_errors():
        run = _Run(model, network, dataset, chosen, seed, randomness)
        for rows, is_new in run.epochs(file, stage, step_progress):
            if logs is not None:
                logs.write(rows) if is_new else logs.table(rows)
            if progress is not None and is_new:
                progress(len(rows), chosen.epochs, rows[-1])
    if logs is not None:
        logs.close()
    if network is not model:
        model.set_weights(network.get_weights())
    if is_quantize_aware(model):
        settle(model)
    if file is not None and file is not checkpoint:
        file.remove()
    return {key: [row[key] for row in rows] for key in _HISTORY}


def recipe_of(model: Any) -> str:
    """The name of the recipe for a model: by what it is, then by its metadata, then "adam".

    Pruned and quantization-aware models are fine-tuned ("pruning", "int8"), binary ones have latent weights
    ("binary"), other quantizers name theirs ("few_bit", "incremental"), and float models have the name of their recipe
    in the metadata (``extra["recipe"]``) when they come from the zoo.

    Raises:
        UsageError: the metadata names a recipe that does not exist.
    """
    if is_pruned(model):
        return "pruning"
    if is_quantize_aware(model):
        return "int8"
    if any(is_binary_layer(layer) for layer in flat_layers(model)):
        return "binary"
    quantizers = [part for part in flat_layers(model) if isinstance(part, Quantizer)]
    if quantizers:
        return max((part.recipe for part in quantizers), key=lambda recipe: recipe != Quantizer.recipe)
    name = metadata_of(model).extra.get("recipe", "adam")
    if not isinstance(name, str) or name not in RECIPES:
        raise UsageError(
            f"the model's metadata asks for the recipe {name!r}, which does not exist; "
            f"choose one with --recipe (recipe=): {', '.join(RECIPES)}"
        )
    return name


class _Run:
    """One model on its way through the epochs of one recipe. ``network`` is ``model`` in the recipe's precision."""

    def __init__(
        self, model: Any, network: Any, dataset: Dataset, recipe: Recipe, seed: int, randomness: EpochRandomness
    ) -> None:
        self._model, self._network, self._dataset = model, network, dataset
        self._recipe, self._seed, self._randomness = recipe, seed, randomness
        self._steps = -(-dataset.size("train") // recipe.batch_size)
        self._schedule = RecipeSchedule.of(recipe, recipe.epochs * self._steps)
        self._samples = first_inputs(model, dataset, _CALIBRATION_SAMPLES, seed) if is_quantize_aware(model) else None
        keras.utils.set_random_seed(seed)
        network.compile(
            optimizer=make_optimizer(network, recipe, recipe.epochs * self._steps),
            loss=cross_entropy(model, recipe.label_smoothing),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )

    def epochs(
        self, file: CheckpointFile | None, stage: int, step_progress: StepProgress | None
    ) -> Iterator[tuple[list[Row], bool]]:
        """Yield (the rows of all epochs so far, whether the last is new): where a run stands, then every epoch."""
        network = self._network
        rows: list[Row] = []
        variables = network.weights, optimizer_state(network.optimizer)
        if file is not None:
            state = file.state()
            if state is not None and state.stage == stage:
                if state.epoch > self._recipe.epochs:
                    raise file.damaged(f"it is {state.epoch} epochs into a stage of {self._recipe.epochs}")
                if any(not row.keys() >= set(_HISTORY) for row in state.rows):
                    raise file.damaged(f"its epochs do not have {', '.join(_HISTORY)}")
                file.restore(*variables)
                rows = list(state.rows)
            else:
                file.save(State(stage, 0, ()), *variables)
        if rows:
            yield rows, False
        while len(rows) < self._recipe.epochs:
            rows.append(self._epoch(len(rows), step_progress))
            if file is not None:
                file.save(State(stage, len(rows), tuple(rows)), *variables)
            yield rows, True

    def _epoch(self, epoch: int, step_progress: StepProgress | None) -> Row:
        recipe, network = self._recipe, self._network
        started = time.perf_counter()
        self._randomness.start(self._seed, epoch)
        if self._samples is not None:  # moving averages from [-6, 6] would lag behind
            calibrate(network, self._samples)
        callbacks: list[Any] = [_Watch(epoch, recipe, self._steps, step_progress)]
        if is_pruned(network):
            callbacks.extend(pruning_callbacks(network))
        callbacks.extend(quantizer_callbacks(network, recipe))
        loose = [kernel for kernel in binary_kernels(network) if kernel.constraint is None]
        if recipe.clip_latent and loose:
            callbacks.append(_Clip(loose))
        batches = network_batches(
            self._model,
            self._dataset,
            "train",
            recipe.batch_size,
            seed=self._seed,
            epoch=epoch,
            augment=recipe.augment,
        )
        history = network.fit(
            batches,
            initial_epoch=epoch,
            epochs=epoch + 1,
            validation_data=network_batches(self._model, self._dataset, "test", recipe.batch_size),
            callbacks=callbacks,
            verbose=0,
        ).history
        row = {key: float(history[key][0]) for key in _HISTORY}
        _require_finite(row["val_loss"], f"after epoch {epoch + 1}", recipe)
        row["learning_rate"] = float(self._schedule((epoch + 1) * self._steps - 1))
        row["seconds"] = round(time.perf_counter() - started, 3)
        return row


class _Watch(keras.callbacks.Callback):  # type: ignore[name-defined]
    """Stop at once when the loss is no number; tell how an epoch is going."""

    def __init__(self, epoch: int, recipe: Recipe, steps: int, step_progress: StepProgress | None) -> None:
        super().__init__()
        self._epoch, self._recipe, self._steps, self._tell = epoch, recipe, steps, step_progress

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        _require_finite(logs["loss"], f"in step {batch + 1} of epoch {self._epoch + 1}", self._recipe)
        if self._tell is not None:
            self._tell(self._epoch + 1, self._recipe.epochs, batch + 1, self._steps, logs)


class _Clip(keras.callbacks.Callback):  # type: ignore[name-defined]
    """Keep latent weights of layers without a constraint in [-1, 1]: outside they have no gradient."""

    def __init__(self, kernels: list[Any]) -> None:
        super().__init__()
        self._kernels = kernels

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        import tensorflow as tf

        for kernel in self._kernels:
            stored = getattr(kernel, "latent_variable", kernel)
            stored.assign(tf.clip_by_value(stored, -1.0, 1.0))


def _require_finite(loss: Any, where: str, recipe: Recipe) -> None:
    if not math.isfinite(float(loss)):
        raise TrainingError(
            f"the loss became {float(loss):g} {where}: training diverged. Use a lower learning rate than "
            f"{recipe.learning_rate:g} (--learning-rate), a warm-up, or another recipe"
        )


def _settings(model: Any, dataset: Dataset, recipe: Recipe, seed: int) -> dict[str, Any]:
    """What decides the result of one call of ``fit``."""
    digest = hashlib.sha256("\n".join(type(layer).__name__ for layer in flat_layers(model)).encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return {
        "model": digest.hexdigest(),
        "data": data_settings(dataset),
        "recipe": recipe.settings(),
        "seed": seed,
    }


def data_settings(dataset: Dataset) -> dict[str, Any]:
    """What a checkpoint remembers of a data set."""
    return {
        "classes": dataset.classes,
        "shape": list(dataset.shape),
        "train": dataset.size("train"),
        "test": dataset.size("test"),
    }
