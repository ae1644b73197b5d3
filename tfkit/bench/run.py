"""Run a plan of models and thread counts on a device, a fresh process for each."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tfkit._errors import UsageError
from tfkit._files import check_writable
from tfkit.bench import inputs
from tfkit.bench.artifacts import Artifacts
from tfkit.bench.provenance import empty_report
from tfkit.bench.result import Report, Result
from tfkit.bench.runner import run_once
from tfkit.bench.spec import CORRECTNESS, PRESETS, Preset
from tfkit.bench.subject import Subject, prepare
from tfkit.bench.table import printable
from tfkit.bench.verdict import judge
from tfkit.devices import Device, connect
from tfkit.runtime.model_file import read_model

Progress = Callable[[str], None]

MAX_THREADS = 256


def run(
    models: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    device: str | Device = "local",
    threads: Sequence[int] = (1,),
    preset: str = "quick",
    seed: int = 0,
    progress: Progress | None = None,
    *,
    data: str | os.PathLike[str] | None = None,
    kernel: str | None = None,
    json_path: str | os.PathLike[str] | None = None,
) -> Report:
    """Check and measure flatbuffers on a device.

    Every model is first run on the host with reference kernels; the device must compute the same (exactly where that
    is defined, else within a derived tolerance: ``tfkit.bench.golden``) before anything is timed. A device whose times
    mean nothing (``qemu:CPU``) is only checked. A wrong result raises nothing here: ``Report.check`` does.

    Args:
        models: paths of ``.tflite`` files.
        device: what ``tfkit.devices.connect`` takes, or an open device, which stays open.
        threads: every model is measured with each of these.
        preset: ``"quick"`` or ``"standard"``, see ``tfkit.bench.PRESETS``.
        seed: of the inputs, and of the order in which processes are interleaved.
        progress: called with one line of text per step.
        data: raw samples (.npz or a named data set) to run instead of seeded inputs.
        kernel: forces one tfkit kernel by name.
        json_path: written, whole, after each process; a later failure loses nothing that was measured.

    Raises:
        UsageError: unknown device or preset, no models, bad thread counts or seed.
        ModelError: a file that is missing or no sound flatbuffer.
        DataError: ``data`` does not fit a model.
        InferenceError: a model that the host or the device cannot run.
        DeviceError: the device does not answer in time.
        MissingToolError: something is not installed; names the command that brings it.
    """
    paths = [Path(models)] if isinstance(models, str | os.PathLike) else [Path(model) for model in models]
    _check(paths, threads, seed)
    chosen = PRESETS[preset]
    if json_path is not None:
        check_writable(json_path)
    say = progress or (lambda line: None)
    files = [read_model(path) for path in paths]
    opened = connect(device) if isinstance(device, str) else device
    try:
        artifacts = Artifacts.for_platform(opened.platform)
        report = empty_report(opened, artifacts, chosen, threads, seed, data, kernel)
        with tempfile.TemporaryDirectory(prefix="tfkit-bench-") as folder:
            subjects = []
            for index, (path, file) in enumerate(zip(paths, files, strict=True)):
                say(f"host reference: {printable(path.name)}")
                subjects.append(prepare(path, file, data, seed, Path(folder, str(index))))
            effective = chosen if opened.times_meaningful else CORRECTNESS
            plan = _plan(len(subjects), threads, effective.processes, seed)
            for results in _carry_out(plan, subjects, opened, artifacts, effective, kernel, say):
                report.results = results
                if json_path is not None:
                    report.save(json_path)
        return report
    finally:
        if isinstance(device, str):
            opened.close()


def _check(paths: Sequence[Path], threads: Sequence[int], seed: int) -> None:
    if not paths:
        raise UsageError("no models; give the path of at least one .tflite file")
    if not threads or any(not 1 <= n <= MAX_THREADS for n in threads) or len(set(threads)) != len(threads):
        raise UsageError(f"threads are {list(threads)}; give distinct numbers from 1 to {MAX_THREADS}")
    if not 0 <= seed <= inputs.MAX_SEED:
        raise UsageError(f"the seed is {seed}; give an integer from 0 to 2^64 - 1")


def _plan(models: int, threads: Sequence[int], processes: int, seed: int) -> list[tuple[int, int]]:
    """(model, threads) of each process, interleaved in a seeded random order so that drift hits all alike."""
    order = random.Random(seed)
    plan = []
    for _ in range(processes):
        turn = [(model, count) for model in range(models) for count in threads]
        if processes > 1:
            order.shuffle(turn)
        plan += turn
    return plan


def _carry_out(
    plan: Sequence[tuple[int, int]],
    subjects: Sequence[Subject],
    device: Device,
    artifacts: Artifacts,
    preset: Preset,
    kernel: str | None,
    say: Progress,
) -> Iterator[list[Result]]:
    """All results so far, after each process, in the order of the models whatever the order of the processes."""
    done: dict[tuple[int, int], Result] = {}
    for step, (index, threads) in enumerate(plan, 1):
        earlier = done.get((index, threads))
        if earlier and not earlier.ok:
            continue
        subject = subjects[index]
        say(f"[{step}/{len(plan)}] {printable(subject.path.name)} on {device.name}, threads: {threads}")
        document = run_once(subject, device, artifacts, preset, threads, kernel)
        done[index, threads] = judge(subject, threads, (*(earlier.processes if earlier else ()), document))
        yield [done[key] for key in sorted(done)]
