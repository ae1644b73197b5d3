"""``tfkit train``: fit a model of the zoo, or a file, on a named data set."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tfkit._errors import UsageError
from tfkit._files import check_writable
from tfkit._units import format_seconds
from tfkit.cli._options import architecture_options


@click.command()
@click.argument("model")
@click.option("--data", "data_name", required=True, help="A named data set: digits.")
@click.option("-o", "--output", required=True, help="The .keras file to write.")
@architecture_options
@click.option("--epochs", type=click.IntRange(min=1), default=15, show_default=True, help="Passes over the data.")
@click.option("--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="Samples per step.")
@click.option(
    "--learning-rate", type=click.FloatRange(0, min_open=True), help="Of the first step; by precision if absent."
)
@click.option("--quantize-aware", is_flag=True, help="Fine-tune for int8 after training.")
@click.option(
    "--prune",
    "sparsity",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Prune to this share of zeros after training, for example 0.8.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of initial weights and shuffling.")
@click.option("--trust-model", is_flag=True, help="Load Python code that a model file carries.")
def command(
    model: str,
    data_name: str,
    output: str,
    input_shape: tuple[int, int, int] | None,
    classes: int | None,
    width: float | None,
    scheme: str | None,
    epochs: int,
    batch_size: int,
    learning_rate: float | None,
    quantize_aware: bool,
    sparsity: float | None,
    seed: int,
    trust_model: bool,
) -> None:
    """Train MODEL, a name of the zoo or a .keras file, on a named data set.

    A zoo model is built to the size of the data and trained for --epochs; --quantize-aware or --prune then
    fine-tunes it for a third as many (at least 3). A file is taken as it is: with --quantize-aware or
    --prune, --epochs are those of the fine-tuning. Binary kernels are never pruned.

    \b
      tfkit train small_cnn --data digits -o float.keras
      tfkit train small_cnn --data digits -o binary.keras --scheme binary
      tfkit train float.keras --data digits -o int8.keras --quantize-aware --epochs 5
    """
    if quantize_aware and sparsity is not None:
        raise UsageError("--quantize-aware and --prune together would fill the zeros again; choose one")
    check_writable(output)
    from tfkit.data import load as load_data

    dataset = load_data(data_name)
    from tfkit import models, training
    from tfkit.quantization import is_quantize_aware
    from tfkit.saving import load, save

    fine_tuning = quantize_aware or sparsity is not None
    if _is_file(model):
        if any(option is not None for option in (input_shape, classes, width, scheme)):
            raise UsageError(f"{model} is built already; --input, --classes, --width and --scheme are for zoo models")
        network = load(model, trust_model=trust_model)
        _require_keras(network, model)
        stages = [] if fine_tuning else [epochs]
        tuning_epochs = epochs
    else:
        network = models.build(
            model,
            input_shape=input_shape or dataset.x_train.shape[1:],
            classes=classes or dataset.classes,
            width=width,
            scheme=scheme,
            seed=seed,
        )
        if fine_tuning and is_quantize_aware(network):
            raise UsageError(
                f"scheme {scheme} is quantization-aware already; give its float scheme (float32, binary) with "
                "--quantize-aware or --prune"
            )
        stages = [epochs]
        tuning_epochs = max(3, epochs // 3)
    options = {"batch_size": batch_size, "seed": seed}
    for count in stages:
        training.fit(
            network, dataset, epochs=count, learning_rate=learning_rate, progress=_report("training"), **options
        )
    if fine_tuning:
        rate = learning_rate if not stages else None
        network = _prepare(network, dataset, quantize_aware, sparsity, tuning_epochs, batch_size)
        label = "int8 fine-tuning" if quantize_aware else "pruning"
        training.fit(network, dataset, epochs=tuning_epochs, learning_rate=rate, progress=_report(label), **options)
    if sparsity is not None:
        from tfkit.pruning import strip

        network = strip(network)
    save(network, output)
    share = training.accuracy(network, dataset.x_test, dataset.y_test)
    click.echo(f"{output}: accuracy {share:.4f} on {len(dataset.y_test)} test samples of {data_name}")


def _prepare(
    network: Any, dataset: Any, quantize_aware: bool, sparsity: float | None, epochs: int, batch_size: int
) -> Any:
    if quantize_aware:
        from tfkit.metadata import IDENTITY, metadata_of
        from tfkit.quantization import quantize_aware as make_aware

        preprocessing = metadata_of(network).preprocessing or IDENTITY
        return make_aware(network, preprocessing.apply(dataset.x_train[:256]))
    from tfkit.pruning import prune

    steps = epochs * -(-len(dataset.y_train) // batch_size)
    assert sparsity is not None
    # The last third trains what is left.
    return prune(network, sparsity, end_step=max(2, steps * 2 // 3), frequency=max(1, steps // 50), layers="float")


def _is_file(model: str) -> bool:
    return Path(model).suffix in (".keras", ".h5", ".hdf5") or "/" in model or Path(model).exists()


def _require_keras(network: Any, path: str) -> None:
    from tfkit._keras import legacy_keras

    if not isinstance(network, legacy_keras().Model):
        raise UsageError(f"{path} is not a tf_keras model and cannot be trained here; train it with its own Keras")


def _report(label: str) -> Any:
    start = time.perf_counter()

    def progress(epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        spent = time.perf_counter() - start
        left = spent / epoch * (epochs - epoch)
        click.echo(
            f"{label} {epoch}/{epochs}: loss {logs['loss']:.4f}, accuracy {logs['accuracy']:.4f}, "
            f"test {logs['val_accuracy']:.4f}, "
            + (f"{format_seconds(left)} left" if left else f"took {format_seconds(spent)}"),
            err=True,
        )

    return progress
