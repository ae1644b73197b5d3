"""Steps that make Keras networks: training, pruning, fine-tuning for int8."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tfkit import models, pruning, saving, training
from tfkit._errors import ModelError, UsageError
from tfkit._keras import legacy_keras
from tfkit.counting import count
from tfkit.pruning.run import Goal, pruning_stages
from tfkit.tradeoffs.sweep.compression import two_numbers
from tfkit.tradeoffs.sweep.steps import Outcome
from tfkit.tradeoffs.sweep.work.carry import Job
from tfkit.training.checkpoint import CheckpointFile
from tfkit.training.recipes import RECIPES, Recipe
from tfkit.training.stages import Stage, int8_stage, run_settings, run_stages

_MULTIPLE_OF = 8  # channels that a layer keeps after pruning: what kernels work on at a time


def train(job: Job) -> Outcome:
    """A network of the zoo, built to the size of the data."""
    settings, dataset = job.settings, job.dataset
    network = models.build(
        settings["model"],
        input_shape=dataset.shape,
        classes=dataset.classes,
        seed=settings["seed"],
        **{
            name: settings[name]
            for name in ("width", "scheme", "kernel_quantizer", "input_quantizer")
            if name in settings
        },
    )
    recipe = _recipe(settings["recipe"] or training.recipe_of(network), settings["overrides"])
    return _trained(job, network, [Stage("training", "training", recipe)])


def tune(job: Job) -> Outcome:
    """Quantization-aware fine-tuning for int8."""
    recipe = _recipe("int8", job.settings["overrides"])
    network = saving.load(job.file("keras"))
    return _trained(job, network, [int8_stage(job.dataset, recipe, job.settings["seed"])])


def prune(job: Job) -> Outcome:
    """Pruning by a method of the literature, and training of what is left."""
    settings, dataset = job.settings, job.dataset
    network = saving.load(job.file("keras"))
    given: dict[str, Any] = {}
    goal = Goal()
    kind = pruning.METHODS[settings["prune"]]
    if kind.aim == "macs":
        given["structure"] = settings["structure"]
        goal = Goal(macs=1.0 - settings["rate"], multiple_of=_MULTIPLE_OF)
    elif "rate" in settings:
        given["sparsity"] = settings["rate"]
    for name, sign, fields in (("pattern", ":", ("n", "m")), ("block", "x", ("rows", "columns"))):
        if name in settings:
            given |= dict(zip(fields, two_numbers(settings[name], sign) or (), strict=True))
    recipe = _recipe("pruning", settings["overrides"])
    notes: dict[str, Any] = {}
    stages = pruning_stages(dataset, kind(**given), goal, recipe, recipe, seed=settings["seed"], notes=notes)
    return _trained(job, network, stages, notes, finish=pruning.finish)


def _recipe(name: str, overrides: Mapping[str, Any]) -> Recipe:
    return replace(RECIPES[name], **overrides).check()


def _trained(
    job: Job,
    network: Any,
    stages: Sequence[Stage],
    notes: dict[str, Any] | None = None,
    finish: Callable[[Any], Any] = lambda network: network,
) -> Outcome:
    """Train through ``stages``, from a checkpoint if an earlier process left one, bit for bit as without a pause."""
    seed = job.settings["seed"]
    checkpoint = CheckpointFile(
        job.scratch / "training.checkpoint", run_settings(stages, settings=dict(job.settings), seed=seed), notes
    )
    try:
        checkpoint.state()
    except (ModelError, UsageError):  # damaged, or of another tfkit: nothing that is worth a failure
        checkpoint.remove()
    network = finish(
        run_stages(network, job.dataset, stages, seed=seed, checkpoint=checkpoint, begin=lambda stage, done: _SILENT)
    )
    path = job.folder / "trained.keras"
    saving.save(network, path)
    counted = count(network)
    figures = {
        "keras_accuracy": training.evaluate(network, job.dataset),
        "macs": counted.macs,
        "parameters": counted.params,
    }
    outcome = Outcome(figures, {"keras": (".keras", path.read_bytes())})
    legacy_keras().backend.clear_session()  # the process lives on, and takes many networks
    return outcome


def _say_nothing(*arguments: Any) -> None:
    """Of epochs and steps: what a sweep tells is its steps."""


_SILENT = (_say_nothing, _say_nothing)
