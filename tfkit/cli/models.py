"""``tfkit models``: the zoo as a table, without importing TensorFlow."""

from __future__ import annotations

import click

from tfkit._json import json_text

SCHEMA_VERSION = 1


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the table as versioned JSON.")
def command(as_json: bool) -> None:
    """List the architectures of the zoo.

    Parameters and MACs (multiply-accumulates for one sample) are those of the default input and width;
    parameters count every weight, batch normalization statistics included.

    \b
      tfkit models
      tfkit build mobilenet_v2 -o m.keras --width 0.5 --input 96x96x3
    """
    from tfkit.models import REGISTRY

    if as_json:
        rows = [
            {
                "name": spec.name,
                "summary": spec.summary,
                "input_shape": list(spec.input_shape),
                "classes": spec.classes,
                "params": spec.params,
                "macs": spec.macs,
                "schemes": list(spec.schemes),
                "paper": spec.paper,
            }
            for spec in REGISTRY.values()
        ]
        click.echo(json_text({"schema_version": SCHEMA_VERSION, "models": rows}))
        return
    table = [("name", "input", "classes", "params", "MACs", "schemes")]
    for spec in REGISTRY.values():
        shape = "x".join(map(str, spec.input_shape))
        schemes = ", ".join(spec.schemes)
        table.append((spec.name, shape, str(spec.classes), f"{spec.params:,}", f"{spec.macs:,}", schemes))
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        cells = [
            cell.rjust(width) if column in (2, 3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    click.echo("\nint8 and binary_int8 are quantization-aware: train them, then convert with --format int8 or lce.")
