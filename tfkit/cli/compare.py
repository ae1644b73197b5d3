"""``tfkit compare``."""

from __future__ import annotations

import click


@click.command("compare")
@click.argument("before", metavar="BEFORE.json")
@click.argument("after", metavar="AFTER.json")
@click.option("--fail-on-regression", is_flag=True, help="Exit code 3 when a model became slower; for CI.")
@click.option("--force", is_flag=True, help="Compare although devices, presets, threads or cores differ.")
@click.option("--by-order", is_flag=True, help="Match models by their place in the files, not by name: A against B.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(before: str, after: str, fail_on_regression: bool, force: bool, by_order: bool, as_json: bool) -> None:
    """Say of two results of `tfkit bench --json`: faster, slower, or inconclusive.

    Faster or slower needs both: a Mann-Whitney test on the medians of the processes with p < 0.05, and a difference of
    the medians above 3 % and above twice the variation between processes. A test on single runs would call any two
    starts of one program different, because the runs of a process are not independent. Preset quick starts one
    process, which shows nothing about the next; standard starts five.

    \b
      tfkit bench m.tflite --json before.json
      ...
      tfkit bench m.tflite --json after.json
      tfkit compare before.json after.json --fail-on-regression

    Exit code 3: a model became slower, with --fail-on-regression.
    """
    from tfkit import bench
    from tfkit._json import json_text
    from tfkit.bench.comparison_table import as_table

    comparison = bench.compare(before, after, force=force, by_order=by_order)
    click.echo(json_text(comparison.to_json()) if as_json else as_table(comparison))
    if fail_on_regression:
        comparison.check()
