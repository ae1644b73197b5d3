"""Pruning as stages of one training run: find out what can go, take it out, train what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tfkit.data import Dataset
from tfkit.pruning.after_training import AfterTraining
from tfkit.pruning.cutting import cut, cut_again, without
from tfkit.pruning.fixed import KeepZeros
from tfkit.pruning.method import Method, finish, prepare
from tfkit.training.recipes import Recipe
from tfkit.training.stages import Stage
from tfkit.training.streams import first_inputs

_SAMPLES = 256


@dataclass(frozen=True)
class Goal:
    """How far to prune. ``macs``: the share that is left, for methods that remove structures."""

    macs: float = 0.5
    multiple_of: int = 8
    layers: str | Sequence[str] = "all"


def tuning_recipe(learning: Recipe, epochs: int | None = None) -> Recipe:
    """How what is left after a cut is trained: as while pruning, for half as long and 3 epochs at least."""
    return replace(learning, epochs=epochs or max(3, learning.epochs // 2))


def pruning_stages(
    dataset: Dataset,
    method: Method,
    goal: Goal,
    learning: Recipe,
    tuning: Recipe,
    *,
    seed: int,
    notes: dict[str, Any],
) -> list[Stage]:
    """The stages that a method takes, for ``tfkit.training.stages.run_stages``; call ``finish`` on what comes out.

    What is cut out decides the shape of the network that is trained after the cut, so it is noted in ``notes``,
    which are to be those of the run's ``CheckpointFile``.
    """

    def steps(recipe: Recipe) -> int:
        return -(-dataset.size("train") // recipe.batch_size)

    def begin(network: Any) -> Any:
        samples = first_inputs(network, dataset, _SAMPLES, seed)
        return prepare(
            network,
            method,
            epochs=learning.epochs,
            steps=steps(learning),
            size=dataset.size("train"),
            samples=samples,
            layers=goal.layers,
        )

    def zeroed(network: Any) -> Any:
        if not method.trains and "reduced" not in notes:  # else masks and weights come from the checkpoint
            network, _ = reduced(network)
            notes["reduced"] = True
        return prepare(finish(network), KeepZeros(), epochs=tuning.epochs, steps=steps(tuning), layers=goal.layers)

    def smaller(network: Any) -> Any:
        if "cut" in notes:
            return cut_again(finish(network), notes["cut"])
        if method.trains:
            model, notes["cut"] = cut(network, goal.macs, goal.multiple_of)
        else:
            model, notes["cut"] = without(*reduced(network))
        return model

    def reduced(network: Any) -> Any:
        assert isinstance(method, AfterTraining)
        samples = first_inputs(network, dataset, _SAMPLES, seed)
        return method.reduced(network, samples, macs=goal.macs, multiple_of=goal.multiple_of, layers=goal.layers)

    stages = [Stage("pruning", "pruning", learning, begin)] if method.trains else []
    if method.tunes:
        stages.append(Stage("tuning", "fine-tuning", tuning, smaller if method.aim == "macs" else zeroed))
    return stages
