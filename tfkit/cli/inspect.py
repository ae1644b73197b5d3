"""``tfkit inspect``."""

from __future__ import annotations

from pathlib import Path

import click

from tfkit._json import json_text


@click.command()
@click.argument("flatbuffer", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def command(flatbuffer: Path, as_json: bool) -> None:
    """Show what a .tflite file holds: ops, precision, MACs, weight bytes, peak activation bytes, metadata."""
    from tfkit.converters.inspection import inspect

    found = inspect(flatbuffer)
    click.echo(json_text(found.to_json()) if as_json else found.table())
