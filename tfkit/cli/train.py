"""``tfkit train``: fit a model of the zoo, or a file, on a named data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tfkit._errors import UsageError
from tfkit._files import check_model_file
from tfkit.cli._options import architecture_options, data_option
from tfkit.training.recipes import OPTIMIZERS, PRECISIONS, RECIPES, SCHEDULES, Recipe


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Single settings that override those of the recipe."""
    for option in reversed(
        (
            click.option("--epochs", type=click.IntRange(min=1), help="Passes over the data; the recipe's if absent."),
            click.option("--batch-size", type=click.IntRange(min=1), help="Samples per step; the recipe's if absent."),
            click.option(
                "--learning-rate",
                type=click.FloatRange(0, min_open=True),
                help="The highest one, in every stage; the recipe's if absent.",
            ),
            click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="Instead of the recipe's."),
            click.option("--schedule", type=click.Choice(SCHEDULES), help="Of the learning rate."),
            click.option("--warmup", type=click.FloatRange(0, 1, max_open=True), help="Share of the run."),
            click.option("--weight-decay", type=click.FloatRange(0), help="Decoupled; kernels only."),
            click.option("--label-smoothing", type=click.FloatRange(0, 1, max_open=True), help="Share of the target."),
            click.option("--augment/--no-augment", default=None, help="Change training images at random."),
            click.option("--precision", type=click.Choice(PRECISIONS), help="Of the arithmetic; weights are float32."),
        )
    ):
        command = option(command)
    return command


@click.command()
@click.argument("model")
@data_option("--data", "data_name", purpose="What to train on", required=True)
@click.option("-o", "--output", required=True, help="The .keras file to write.")
@architecture_options
@click.option(
    "--recipe",
    "recipe_name",
    type=click.Choice(list(RECIPES)),
    help="How to train; what suits the model if absent.",
)
@recipe_options
@click.option("--quantize-aware", is_flag=True, help="Fine-tune for int8 after training.")
@click.option(
    "--prune",
    "sparsity",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Prune to this share of zeros after training, for example 0.8.",
)
@click.option("--tuning-epochs", type=click.IntRange(min=1), help="Of fine-tuning; a third of --epochs if absent.")
@click.option(
    "--tuning-learning-rate",
    type=click.FloatRange(0, min_open=True),
    help="Of fine-tuning; --learning-rate, or the recipe's, if absent.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--log-dir", type=click.Path(file_okay=False), help="Folder for CSV tables and TensorBoard events.")
@click.option(
    "--resume/--restart",
    default=None,
    help="Insist on a checkpoint, or begin anew; if absent, a checkpoint is continued when there is one.",
)
@click.option("--trust-model", is_flag=True, help="Load Python code that a model file carries.")
def command(
    model: str,
    data_name: str,
    output: str,
    input_shape: tuple[int, int, int] | None,
    classes: int | None,
    width: float | None,
    scheme: str | None,
    kernel_quantizer: str | None,
    input_quantizer: str | None,
    recipe_name: str | None,
    quantize_aware: bool,
    sparsity: float | None,
    tuning_epochs: int | None,
    tuning_learning_rate: float | None,
    seed: int,
    log_dir: str | None,
    resume: bool | None,
    trust_model: bool,
    **overrides: Any,
) -> None:
    """Train MODEL, a name of the zoo or a .keras file, on a named data set.

    A zoo model is built to the size of the data and trained; --quantize-aware or --prune then fine-tunes it
    for a third as many epochs (at least 3). A file is taken as it is: with --quantize-aware or --prune it is
    fine-tuned only, and all options are those of the fine-tuning. Binary kernels are never pruned.

    After every epoch a checkpoint is written beside the output. When training was interrupted, the same
    command goes on from there and ends with the same weights, bit for bit.

    \b
      tfkit train small_cnn --data digits -o float.keras
      tfkit train small_cnn --data digits -o binary.keras --scheme binary --optimizer bop
      tfkit train small_cnn --data digits -o lsq.keras --kernel-quantizer lsq_w2 --input-quantizer lsq_a2
      tfkit train float.keras --data digits -o int8.keras --quantize-aware --epochs 5
      tfkit train wrn_16_4 --data cifar10:cifar-10-batches-bin -o wrn.keras --epochs 30 --log-dir logs
    """
    if quantize_aware and sparsity is not None:
        raise UsageError("--quantize-aware and --prune together would fill the zeros again; choose one")
    fine_tuning = quantize_aware or sparsity is not None
    if not fine_tuning and (tuning_epochs is not None or tuning_learning_rate is not None):
        raise UsageError("--tuning-epochs and --tuning-learning-rate go with --quantize-aware or --prune")
    check_model_file(output)
    from tfkit.training.checkpoint import CheckpointFile, check_input, checkpoint_path, sweep

    path = checkpoint_path(output)
    if resume:
        check_input(path)
    from tfkit import training
    from tfkit.quantization import is_quantize_aware
    from tfkit.saving import save
    from tfkit.training.loop import data_settings
    from tfkit.training.stages import Stage, file_digest, int8_stage, pruning_stage, run_settings, run_stages

    from_file = _is_file(model)
    architecture = {
        "input_shape": input_shape,
        "classes": classes,
        "width": width,
        "scheme": scheme,
        "kernel_quantizer": kernel_quantizer,
        "input_quantizer": input_quantizer,
    }
    if from_file:
        if any(option is not None for option in architecture.values()):
            raise UsageError(
                f"{model} is built already; --input, --classes, --width, --scheme and the quantizers are for zoo models"
            )
        network, dataset = _opened(model, data_name, trust_model)
    else:
        network, dataset = _built(model, data_name, architecture, seed)
        if fine_tuning and is_quantize_aware(network):
            raise UsageError(
                f"scheme {scheme} is quantization-aware already; give its float scheme (float32, binary) with "
                "--quantize-aware or --prune"
            )
    stages = []
    if not (from_file and fine_tuning):
        recipe = _recipe(recipe_name or training.recipe_of(network), overrides)
        stages.append(Stage("training", "training", recipe))
    if fine_tuning:
        tuning = {"epochs": tuning_epochs, "learning_rate": tuning_learning_rate}
        name = "int8" if quantize_aware else "pruning"
        if stages:
            shared = {option: overrides[option] for option in ("batch_size", "learning_rate")}
            third = {"epochs": max(3, stages[0].recipe.epochs // 3)}
            recipe = _recipe(name, third, shared, tuning)
        else:
            recipe = _recipe(recipe_name or name, overrides, tuning)
        if sparsity is None:
            stages.append(int8_stage(dataset, recipe, seed))
        else:
            stages.append(pruning_stage(dataset, recipe, sparsity))
    settings = run_settings(
        stages,
        model=file_digest(model) if from_file else model,
        architecture=architecture,
        data={"name": data_name, **data_settings(dataset)},
        sparsity=sparsity,
        seed=seed,
    )
    checkpoint = CheckpointFile(path, settings)
    if resume is False:
        checkpoint.remove()
    try:
        network = run_stages(network, dataset, stages, seed=seed, checkpoint=checkpoint, begin=_begin, log_dir=log_dir)
    except KeyboardInterrupt:
        if path.exists():
            click.echo(f"\n{path} holds the state after the last epoch; the same command goes on from it", err=True)
        raise
    if sparsity is not None:
        from tfkit.pruning import strip

        network = strip(network)
    save(network, output)
    share = training.evaluate(network, dataset)
    click.echo(f"{output}: accuracy {share:.4f} on {dataset.size('test')} test samples of {data_name}")
    checkpoint.remove()
    sweep(Path(output))


def _built(model: str, data_name: str, architecture: Mapping[str, Any], seed: int) -> tuple[Any, Any]:
    """A fresh zoo model to the size of the data, and the data."""
    from tfkit import models
    from tfkit.data import load as load_data

    own, asked = models.REGISTRY[model].input_shape, architecture["input_shape"]
    # A folder of images is resized to what the architecture is made for; digits are not what to make of photographs.
    dataset = load_data(data_name, shape=asked or (own if own[2] == 3 else (32, 32, 3)))
    sizes = {"input_shape": asked or dataset.shape, "classes": architecture["classes"] or dataset.classes}
    return models.build(model, **{**architecture, **sizes}, seed=seed), dataset


def _opened(path: str, data_name: str, trust_model: bool) -> tuple[Any, Any]:
    """The model in a file, and the data in its size where the data has none of its own."""
    from tfkit._keras import legacy_keras
    from tfkit.data import load as load_data
    from tfkit.saving import load

    network = load(path, trust_model=trust_model)
    if not isinstance(network, legacy_keras().Model):
        raise UsageError(f"{path} is not a tf_keras model and cannot be trained here; train it with its own Keras")
    shape = network.input_shape
    fixed = isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:]
    return network, load_data(data_name, shape=tuple(shape[1:]) if fixed else None)


def _recipe(name: str, *overrides: dict[str, Any]) -> Recipe:
    recipe = RECIPES[name]
    for given in overrides:
        recipe = replace(recipe, **{option: value for option, value in given.items() if value is not None})
    return recipe.check()


def _is_file(model: str) -> bool:
    return Path(model).suffix in (".keras", ".h5", ".hdf5") or "/" in model or Path(model).exists()


def _begin(stage: Any, epochs_done: int) -> tuple[Any, Any]:
    from tfkit.cli._progress import TrainingProgress

    if epochs_done:
        click.echo(f"{stage.label} goes on after epoch {epochs_done} of {stage.recipe.epochs}", err=True)
    progress = TrainingProgress(stage.label)
    return progress.epoch, progress.step
