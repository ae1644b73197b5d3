"""``tfkit build``: a fresh model of the zoo as a file."""

from __future__ import annotations

import click

from tfkit._files import check_model_file
from tfkit._units import format_bytes
from tfkit.cli._options import architecture_options


@click.command()
@click.argument("name")
@click.option("-o", "--output", required=True, help="The .keras file to write.")
@architecture_options
@click.option("--seed", type=int, default=0, show_default=True, help="Of the initial weights.")
def command(
    name: str,
    output: str,
    input_shape: tuple[int, int, int] | None,
    classes: int | None,
    width: float | None,
    scheme: str | None,
    kernel_quantizer: str | None,
    input_quantizer: str | None,
    seed: int,
) -> None:
    """Write model NAME of the zoo, freshly initialized, with its preprocessing in the file.

    NAME is one that `tfkit models` lists, or a member of one of its families such as wrn_16_2. Every architecture
    also takes other input sizes, classes and widths. The outputs are logits. The weights are random: train the
    model with `tfkit train` or in Keras.

    \b
      tfkit build mobilenet_v2 -o m.keras
      tfkit build small_cnn -o b.keras --scheme binary --input 32x32x3 --classes 100
      tfkit build wrn_16_2 -o w.keras --classes 100
      tfkit build wrn_16_2 -o q.keras --kernel-quantizer lsq_w2 --input-quantizer lsq_a2
    """
    check_model_file(output)
    from tfkit import models
    from tfkit.counting import count
    from tfkit.saving import save

    model = models.build(
        name,
        input_shape=input_shape,
        classes=classes,
        width=width,
        scheme=scheme,
        kernel_quantizer=kernel_quantizer,
        input_quantizer=input_quantizer,
        seed=seed,
    )
    save(model, output)
    found = count(model)
    by_precision = ", ".join(f"{macs:,} {precision}" for precision, macs in found.macs_by_precision.items())
    click.echo(
        f"{output}: {name}, {found.params:,} parameters ({format_bytes(4 * found.params)} in float32), "
        f"MACs: {by_precision}"
    )
