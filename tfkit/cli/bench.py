"""``tfkit bench``."""

from __future__ import annotations

import click

from tfkit._errors import UsageError
from tfkit.cli._options import data_option


@click.command("bench")
@click.argument("models", nargs=-1, required=True, metavar="MODEL.tflite...")
@click.option("--device", default="local", show_default=True, metavar="DEVICE", help="local, or qemu:CPU.")
@click.option("--threads", default="1", show_default=True, metavar="N,N", help="Thread counts to measure with.")
@click.option("--preset", default="quick", show_default=True, metavar="NAME", help="quick or standard.")
@click.option("--seed", default=0, show_default=True, type=int, help="Of the inputs and of the order of processes.")
@data_option("--data", purpose="Raw samples to run on instead of seeded inputs")
@click.option("--kernel", metavar="NAME", help="Force one tfkit kernel, for example reference.")
@click.option("--json", "json_path", metavar="FILE", help="Write everything, with raw samples, after each process.")
def command(
    models: tuple[str, ...],
    device: str,
    threads: str,
    preset: str,
    seed: int,
    data: str | None,
    kernel: str | None,
    json_path: str | None,
) -> None:
    """Run flatbuffers on a device: correctness first, then latency.

    Each model is run by the host's reference kernels; the device has to compute the same before anything is timed.
    Under qemu only correctness is reported, since an emulator's times say nothing about hardware.

    Exit code 3: a device computed something else than the reference.
    """
    from tfkit import bench

    report = bench.run(
        models,
        device=device,
        threads=_counts(threads),
        preset=preset,
        seed=seed,
        progress=lambda line: click.echo(line, err=True),
        data=data,
        kernel=kernel,
        json_path=json_path,
    )
    click.echo(bench.as_table(report))
    report.check()


def _counts(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--threads takes numbers separated by commas, for example 1,2; got {text!r}") from error
