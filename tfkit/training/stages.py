"""A run of several stages - training, then int8 fine-tuning or pruning - that share one checkpoint."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit.data import Dataset
from tfkit.training.checkpoint import CheckpointFile
from tfkit.training.loop import Progress, StepProgress, fit
from tfkit.training.recipes import Recipe
from tfkit.training.streams import first_inputs

_CALIBRATION_SAMPLES = 256


@dataclass(frozen=True)
class Stage:
    """One call of ``fit``: ``name`` is that of its logs, ``prepare`` makes the network that it trains."""

    name: str
    label: str
    recipe: Recipe
    prepare: Callable[[Any], Any] = lambda network: network


# Called when a stage begins: (stage, epochs done) -> who is told about its epochs and steps.
Begin = Callable[[Stage, int], tuple[Progress, StepProgress]]


def run_stages(
    network: Any,
    dataset: Dataset,
    stages: Sequence[Stage],
    *,
    seed: int,
    checkpoint: CheckpointFile,
    begin: Begin,
    log_dir: str | os.PathLike[str] | None = None,
) -> Any:
    """Train ``network`` through all stages and return what came out of the last; goes on from the checkpoint.

    Stages that the checkpoint has behind it are not trained again: what a stage makes of a network depends on the
    network's weights only where they are weights of the result too, and those come from the checkpoint.

    Raises:
        ModelError: the checkpoint is damaged.
        Exception: as ``fit``.
    """
    state = checkpoint.state()
    reached = 0 if state is None else state.stage
    if reached >= len(stages):
        raise checkpoint.damaged(f"it stands in stage {reached}, counted from 0, of a run with {len(stages)}")
    for number, stage in enumerate(stages):
        network = stage.prepare(network)
        if number < reached:
            continue
        progress, step_progress = begin(stage, state.epoch if state is not None and number == reached else 0)
        fit(
            network,
            dataset,
            recipe=stage.recipe,
            seed=seed,
            checkpoint=checkpoint,
            stage=number,
            progress=progress,
            step_progress=step_progress,
            log_dir=log_dir,
            log_name=stage.name,
        )
    return network


def int8_stage(dataset: Dataset, recipe: Recipe, seed: int) -> Stage:
    """Fine-tuning for int8, starting from the ranges that training data shows."""

    def prepare(network: Any) -> Any:
        from tfkit.quantization import quantize_aware

        return quantize_aware(network, first_inputs(network, dataset, _CALIBRATION_SAMPLES, seed))

    return Stage("int8", "int8 fine-tuning", recipe, prepare)


def pruning_stage(dataset: Dataset, recipe: Recipe, sparsity: float) -> Stage:
    """Pruning to a share of zeros during two thirds of the stage; the last third trains what is left."""

    def prepare(network: Any) -> Any:
        from tfkit.pruning import prune

        steps = recipe.epochs * -(-dataset.size("train") // recipe.batch_size)
        return prune(network, sparsity, end_step=max(2, steps * 2 // 3), frequency=max(1, steps // 50), layers="float")

    return Stage("pruning", "pruning", recipe, prepare)


def run_settings(stages: Sequence[Stage], **others: Any) -> Mapping[str, Any]:
    """What a checkpoint of a run remembers, so that it is continued with the same settings only."""
    return {**others, "stages": {stage.name: stage.recipe.settings() for stage in stages}}


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, by which a checkpoint knows the model that a run began with."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
