"""``tfkit quickstart``."""

from __future__ import annotations

from pathlib import Path

import click

from tfkit._errors import CheckError


@click.command("quickstart")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="quickstart",
    show_default=True,
    help="Folder for the networks and the report.",
)
def command(folder: Path) -> None:
    """The whole road on real data, in about two minutes.

    Trains a small float network, its int8, pruned and binary twins on scikit-learn's handwritten digits, converts each,
    compares each with Keras, measures each on this machine and runs each on an emulated Arm Cortex-A72. Prints one
    table and writes report.json and report.html. A second run reuses the trained networks.
    """
    from tfkit.quickstart.road import run

    result = run(folder, lambda line: click.echo(line, err=True))
    click.echo(f"\n{result.table()}\n")
    click.echo(f"report: {folder / 'report.html'}, {folder / 'report.json'} ({result.seconds:.0f} s)")
    if not result.ok:
        raise CheckError("a parity or golden check failed; the report says which")
