"""``tfkit verify``."""

from __future__ import annotations

from pathlib import Path

import click

from tfkit._json import json_text
from tfkit.cli._options import data_option


@click.command()
@click.argument("model", type=click.Path())
@click.argument("flatbuffer", type=click.Path(path_type=Path))
@data_option("--data", purpose="Raw samples to verify on, beside seeded ones")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the seeded samples.")
@click.option("--runtime", type=click.Choice(("litert", "tflite-2.14")), help="Default: what the file was made for.")
@click.option("--min-agreement", type=click.FloatRange(0, 1), default=0.80, show_default=True,
              help="Least share of equal top-1 answers on --data.")  # fmt: skip
@click.option("--trust-model", is_flag=True, help="Run code that the model file carries (Lambda layers).")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def command(
    model: str,
    flatbuffer: Path,
    data: str | None,
    seed: int,
    runtime: str | None,
    min_agreement: float,
    trust_model: bool,
    as_json: bool,
) -> None:
    """Compare a flatbuffer with the Keras model it came from, end to end and layer by layer.

    Exit code 3 when they differ by more than rounding explains.
    """
    from tfkit.converters.pipeline import Rejected, verify

    parity = verify(
        model,
        flatbuffer,
        data=data,
        seed=seed,
        runtime=runtime,
        min_agreement=min_agreement,
        trust_model=trust_model,
        progress=lambda line: click.echo(f"{line} ...", err=True),
    )
    click.echo(json_text(parity.to_json()) if as_json else parity.table(layers=True))
    if not parity.ok:
        raise Rejected(parity)
