"""``tfkit advise``: which precision is worth it, layer by layer, on this device."""

from __future__ import annotations

from pathlib import Path

import click

from tfkit._errors import UsageError
from tfkit._files import check_writable, whole_file
from tfkit._json import json_text
from tfkit.cli._options import data_option
from tfkit.cli.bench import DEVICES


@click.command()
@click.argument("model", type=click.Path())
@click.option("--device", default="local", show_default=True, metavar="DEVICE", help=DEVICES)
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Of the runtime.")
@data_option("--data", purpose="Labelled data, to see what quantization costs and to train on")
@click.option("--max-latency", metavar="TIME", help="Of one run, for example 20ms.")
@click.option("--max-size", metavar="SIZE", help="Of the flatbuffer, for example 2MB (10^6 bytes) or 2MiB.")
@click.option("--min-accuracy", type=float, metavar="SHARE", help="Before any training, on test data: 0.95.")
@click.option("--train", is_flag=True, help="Carry the plan out: train, convert, measure.")
@click.option("--epochs", type=click.IntRange(min=1), default=5, show_default=True, help="Of --train.")
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="The .tflite that --train writes, the .keras beside it.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--trust-model", is_flag=True, help="Load Python code that the model file carries.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write everything as JSON.")
def command(
    model: str,
    device: str,
    threads: int,
    data: str | None,
    max_latency: str | None,
    max_size: str | None,
    min_accuracy: float | None,
    train: bool,
    epochs: int,
    output: Path | None,
    seed: int,
    trust_model: bool,
    json_path: Path | None,
) -> None:
    """Say which precision is worth it for each layer of MODEL, a float .keras file, on a device.

    The layers are converted in float, int8, few bits (2-bit weights and activations) and one bit, and timed there; the
    latency of a mix is predicted from them. The first and the last kernel stay as they are. Without limits the fastest
    plan of all worthwhile layers is proposed; with limits, the one with the least noise that keeps them.

    Latencies are predicted with an error that networks left out of the fit show. What accuracy a plan has is not
    predicted: the SNR ranks layers, and with --data the untrained plan is tried. --train finds out.

    Times of layers are kept in the user's cache per device and shape. Emulated devices have no times: they are refused.

    \b
      tfkit advise m.keras
      tfkit advise m.keras --device adb --max-latency 20ms --max-size 2MB
      tfkit advise m.keras --data digits --train -o m.tflite
    """
    from tfkit.tradeoffs.advise import budgets

    limits = budgets.Budgets(
        None if max_latency is None else budgets.latency(max_latency),
        None if max_size is None else budgets.size(max_size),
        min_accuracy,
    )
    if train and (data is None or output is None):
        raise UsageError("--train needs --data to train on and -o, the .tflite to write")
    if output is not None and not train:
        raise UsageError("-o is for what --train makes; give both or none")
    if output is not None and output.suffix != ".tflite":
        raise UsageError(f"-o names a .tflite file; got {output.name!r}")
    for path in (output, json_path):
        if path is not None:
            check_writable(path)
    from tfkit.tradeoffs.advise import advise

    advice = advise(
        model,
        device,
        data=data,
        budgets=limits,
        threads=threads,
        train=train,
        epochs=epochs,
        output=output,
        seed=seed,
        trust_model=trust_model,
        progress=lambda line: click.echo(line, err=True),
    )
    if json_path is not None:
        with whole_file(json_path) as temporary:
            temporary.write_text(json_text(advice.to_json()) + "\n")
    click.echo(advice.table())
