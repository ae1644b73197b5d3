"""``tfkit sweep``: train, compress, convert, verify and measure a grid of networks; go on after any interruption."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from tfkit._errors import TfkitError


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("-o", "--output", "folder", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="The folder of the sweep; what is in it already is not done again.")  # fmt: skip
@click.option("--plan", "planning", is_flag=True, help="Print runs, time and disk; do nothing.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True,
              help="Steps that compute at a time on this machine.")  # fmt: skip
@click.option("--cluster", metavar="ADDRESS", help="A dask scheduler, tcp://HOST:8786, whose workers compute instead.")
@click.option("--retry", is_flag=True, help="Do once more what failed before; measurements are in any case.")
def command(spec: Path, folder: Path, planning: bool, jobs: int, cluster: str | None, retry: bool) -> None:
    """Sweep over SPEC, a TOML file: every model, compressed in every way, with every seed, on every device.

    What several points need is done once. Training, conversion and verification run side by side; while something is
    measured, nothing else runs. A point whose step fails says why, and the others go on.

    Stop with Ctrl-C whenever you like: the same command goes on, with training from its last epoch. With a changed SPEC
    only what is new is done. `tfkit report` makes plots and tables of the folder.

    \b
      [data]                       # as for tfkit train
      name = "digits"
      [[model]]                    # lists are grids
      name = "small_cnn"           #   a family: name = "wrn_D_K", D = [16, 28], K = 2
      width = [0.5, 1]
      [[compression]]              # format: float32, float16, dynamic; int8: qat, ptq; scheme: binary
      format = "float32"
      [[compression]]
      int8 = ["ptq", "qat"]
      [[compression]]
      scheme = "binary"
      [[compression]]              # few bits: W x A
      kernel_quantizer = ["lsq_w2", "lsq_w4"]
      input_quantizer = "lsq_a4"
      [[compression]]              # prune: a method of tfkit prune; rate goes (MACs or weights); also with int8
      prune = "psp"
      structure = "channel"
      rate = [0.3, 0.5]
      [training]                   # options of tfkit train; what suits the network if absent
      epochs = 10
      seeds = [0, 1, 2]
      [[device]]                   # local if absent
      name = "local"
      preset = "quick"

    \b
      tfkit sweep digits.toml -o study --plan
      tfkit sweep digits.toml -o study --jobs 2
    """
    from tfkit.tradeoffs.sweep import sweep
    from tfkit.tradeoffs.sweep.preview import preview

    if planning:
        click.echo(preview(spec, folder, jobs))
        return
    try:
        points = sweep(
            spec, folder, jobs=jobs, cluster=cluster, retry=retry, say=lambda line: click.echo(line, err=True)
        )
    except KeyboardInterrupt:
        click.echo(f"\n{folder} holds what is done; the same command goes on from it", err=True)
        raise
    states = Counter(point.state for point in points)
    click.echo(f"{folder}: " + ", ".join(f"{states[state]} {state}" for state in ("done", "failed") if states[state]))
    if states["failed"] and not states["done"]:
        raise TfkitError(f"no point could be had; the first reason: {points[0].reason}")
