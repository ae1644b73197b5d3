"""``tfkit bench``."""

from __future__ import annotations

import re

import click

from tfkit._errors import UsageError
from tfkit.cli._options import data_option

DEVICES = "local, qemu:CPU, adb, adb:SERIAL, ssh:[USER@]HOST[:PORT]; `tfkit devices` lists what is there."


@click.command("bench")
@click.argument("models", nargs=-1, required=True, metavar="MODEL.tflite...")
@click.option("--device", default="local", show_default=True, metavar="DEVICE", help=DEVICES)
@click.option("--threads", default="1", show_default=True, metavar="N,N", help="Thread counts to measure with.")
@click.option(
    "--cpus",
    default="big",
    show_default=True,
    metavar="CPUS",
    help="Cores to run on: big (the fastest kind), all, or a list such as 4-7.",
)
@click.option("--preset", default="standard", show_default=True, metavar="NAME", help="quick, standard or publish.")
@click.option("--seed", default=0, show_default=True, type=int, help="Of the inputs and of the order of processes.")
@data_option("--data", purpose="Raw samples to run on instead of seeded inputs")
@click.option("--kernel", metavar="NAME", help="Force one tfkit kernel, for example reference.")
@click.option("--memory", is_flag=True, help="Also peak and shared memory, in a process of its own.")
@click.option("--profile", is_flag=True, help="Also the time of each layer, in a process of its own.")
@click.option("--energy", is_flag=True, help="Also joules per run above idle; not while charging. About 2.5 minutes.")
@click.option("--sustained", metavar="TIME", help="Run that long without pause, say 30m, and give a curve per minute.")
@click.option("--json", "json_path", metavar="FILE", help="Write everything, with raw samples, after each process.")
@click.option("--resume", is_flag=True, help="Continue --json FILE: after a lost link, or on publish's second day.")
@click.option("--runner", metavar="PATH", help="Google's or LCE's benchmark_model for the device, instead of tfkit's.")
def command(
    models: tuple[str, ...],
    device: str,
    threads: str,
    cpus: str,
    preset: str,
    seed: int,
    data: str | None,
    kernel: str | None,
    memory: bool,
    profile: bool,
    energy: bool,
    sustained: str | None,
    json_path: str | None,
    resume: bool,
    runner: str | None,
) -> None:
    """Run flatbuffers on a device: correctness first, then latency, and how far to trust it.

    Each model is run by the host's reference kernels; the device has to compute the same before anything is timed.

    \b
    quick     64 runs in one process; says whether something is grossly off
    standard  256 runs and 3 s in each of five processes, after waiting for a cool device; up to ten where they vary
    publish   1024 runs and 60 s in each of five processes, on each of two days (--resume)

    The median is that of the processes' medians, since programs vary from start to start more than from run to run. A
    percentile appears only where there are enough runs for it. `gate` is trusted, suspect (something was seen that may
    have moved the figures) or invalid (they mean nothing); the reasons follow the table.

    Under qemu only correctness is reported, since an emulator's times say nothing about hardware. A simulated phone
    goes the whole road, without times. `tfkit compare` says whether two results differ.

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
        cpus=cpus,
        memory=memory,
        profile=profile,
        energy=energy,
        sustained=None if sustained is None else _minutes(sustained),
        json_path=json_path,
        resume=resume,
        runner=runner,
    )
    click.echo(bench.as_table(report))
    report.check()


def _counts(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--threads takes numbers separated by commas, for example 1,2; got {text!r}") from error


def _minutes(text: str) -> int:
    match = re.fullmatch(r"(\d{1,4})(m|h|min)?", text.strip())
    if not match:
        raise UsageError(f"--sustained takes minutes or hours, for example 30m or 1h; got {text!r}")
    return int(match[1]) * (60 if match[2] == "h" else 1)
