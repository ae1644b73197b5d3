"""``tfkit report``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default="report.html", show_default=True,
              help="The page to write.")  # fmt: skip
@click.option("--csv", "csv_path", metavar="FILE", type=click.Path(path_type=Path),
              help="Also all points as CSV, a line for each seed.")  # fmt: skip
@click.option("--figures", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Also the charts as PNG, SVG and PDF, for a paper; needs matplotlib.")  # fmt: skip
def command(folder: Path, output: Path, csv_path: Path | None, figures: Path | None) -> None:
    """Show what a sweep found: one page that opens offline, with nothing loaded from elsewhere.

    DIR is the folder that `tfkit sweep -o` wrote; a sweep that is still running may be looked at.

    Accuracy over throughput (on emulated devices over instructions) with the Pareto front and error bars, one series
    per method. A point opens to its op ledger, parity, profile, provenance and trust. Binary and few-bit points stand
    beside int8 ones, and where there are none to compare with, the page says so.

    \b
      tfkit report DIR -o report.html
      tfkit report DIR --csv points.csv --figures figures
    """
    from tfkit.tradeoffs.report import write

    study = write(folder, output, csv=csv_path, figures=figures)
    for device in study.devices:
        for remark in device.remarks:
            click.echo(f"note: {remark}", err=True)
    written = [str(path) for path in (output, csv_path, figures) if path is not None]
    click.echo(f"{', '.join(written)}: {study.summary}")
