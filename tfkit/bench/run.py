"""Run a plan of models and thread counts on a device, a fresh process for each."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfkit._errors import DeviceError, UsageError
from tfkit.bench import extras
from tfkit.bench.bundle import Bundle
from tfkit.bench.cooling import Cooler
from tfkit.bench.measure import Bench
from tfkit.bench.plan import Key, plan, remaining, scatters
from tfkit.bench.provenance import empty_report
from tfkit.bench.request import Request
from tfkit.bench.result import Report, Result
from tfkit.bench.resume import earlier
from tfkit.bench.spec import CORRECTNESS
from tfkit.bench.subject import Subject, prepare
from tfkit.bench.table import printable
from tfkit.bench.verdict import Judge
from tfkit.devices import Device, connect
from tfkit.runtime.model_file import read_model

Progress = Callable[[str], None]


def run(
    models: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    device: str | Device = "local",
    threads: Sequence[int] = (1,),
    preset: str = "standard",
    seed: int = 0,
    progress: Progress | None = None,
    *,
    data: str | os.PathLike[str] | None = None,
    kernel: str | None = None,
    cpus: str | None = "big",
    memory: bool = False,
    profile: bool = False,
    energy: bool = False,
    sustained: int | None = None,
    json_path: str | os.PathLike[str] | None = None,
    resume: bool = False,
    runner: str | os.PathLike[str] | None = None,
) -> Report:
    """Check and measure flatbuffers on a device.

    Every model is first run on the host with reference kernels; the device must compute the same (exactly where that
    is defined, else within a derived tolerance: ``tfkit.bench.golden``) before anything is timed. A device whose times
    mean nothing (``qemu:CPU``) is only checked. A wrong result raises nothing here: ``Report.check`` does.

    Args:
        models: paths of ``.tflite`` files.
        device: what ``tfkit.devices.connect`` takes, or an open device, which stays open.
        threads: every model is measured with each of these.
        preset: ``"quick"``, ``"standard"`` or ``"publish"``, see ``tfkit.bench.PRESETS``.
        seed: of the inputs, and of the order in which processes are interleaved.
        progress: called with one line of text per step.
        data: raw samples (.npz or a named data set) to run instead of seeded inputs.
        kernel: forces one tfkit kernel by name.
        cpus: ``"big"`` (the fastest cluster), ``"all"``, a list such as ``"4-7"``, or None: whatever the system gives.
        memory: also measure memory, in a process of its own.
        profile: also measure each op, in a process of its own.
        energy: also measure joules per run, on a device that tells and is not charging.
        sustained: instead of the preset, that many minutes without pause, with a curve.
        json_path: written, whole, after each process; a later failure loses nothing that was measured.
        resume: continue the measurement in ``json_path``.
        runner: another tool's benchmark program for the device, instead of tfkit's own.

    Raises:
        UsageError: unknown device or preset, no models, bad thread counts or seed; ``resume`` of another measurement.
        ModelError: a file that is missing or no sound flatbuffer.
        DataError: ``data`` does not fit a model.
        InferenceError: a model that the host or the device cannot run.
        DeviceError: the device does not answer in time, or has no source of energy figures.
        MissingToolError: something is not installed; names the command that brings it.
    """
    paths = (models,) if isinstance(models, str | os.PathLike) else models
    request = Request(
        models=tuple(map(Path, paths)),
        threads=tuple(threads),
        preset=preset,
        seed=seed,
        data=data,
        kernel=kernel,
        cpus=cpus,
        memory=memory,
        profile=profile,
        energy=energy,
        sustained=sustained,
        json_path=json_path,
        resume=resume,
        runner=None if runner is None else Path(runner),
    )
    chosen = request.check()
    files = [read_model(path) for path in request.models]
    say = progress or (lambda line: None)
    opened = connect(device) if isinstance(device, str) else device
    try:
        observed = _observed(opened, request)
        bench = Bench(
            device=opened,
            bundle=Bundle.for_device(opened),
            preset=chosen if observed else CORRECTNESS,
            kernel=kernel,
            cpus=cpus if observed else None,
            observed=observed,
            cooler=Cooler(opened),
            say=say,
            foreign=request.runner,
        )
        with tempfile.TemporaryDirectory(prefix="tfkit-bench-") as folder:
            subjects = []
            for index, (path, file) in enumerate(zip(request.models, files, strict=True)):
                say(f"host reference: {printable(path.name)}")
                subjects.append(prepare(path, file, data, seed, Path(folder, str(index))))
            return _Run(request, bench, subjects).carry_out()
    finally:
        if isinstance(device, str):
            opened.close()


def _observed(device: Device, request: Request) -> bool:
    """Whether conditions and times are read at all: an emulator's are the host's."""
    if device.times_meaningful:
        return True
    for name in ("memory", "profile", "energy", "sustained"):
        if getattr(request, name):
            raise UsageError(f"{device.name} is emulated, so --{name} would measure the emulator; leave it out")
    return False


class _Run:
    """One request being carried out; the report on disk is never more than one process behind."""

    def __init__(self, request: Request, bench: Bench, subjects: Sequence[Subject]) -> None:
        self._request = request
        self._bench = bench
        self._subjects = subjects
        self._report = empty_report(bench.device, bench.provenance(), request.to_json(bench.preset))
        self._judge = Judge(self._report.device, bench.preset)
        self._results: dict[Key, Result] = {}

    def carry_out(self) -> Report:
        done = self._earlier()
        whole = plan(len(self._subjects), self._request.threads, self._bench.preset, self._request.seed)
        today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        left = list(remaining(whole, done, self._bench.preset, today))
        try:
            self._bench.push()
            for step, key in enumerate(left, 1):
                self._process(key, f"[{step}/{len(left)}]")
            while scattered := [key for key in sorted(self._results) if self._scatters(key)]:
                for key in scattered:
                    self._process(key, "[once more: its starts vary]")
            for key in sorted(self._results):
                self._extras(key)
        except DeviceError as error:
            if self._request.json_path is None or not self._results:
                raise
            raise DeviceError(
                f"{error}. What was measured is in {self._request.json_path}; the same command with --resume continues"
            ) from error
        return self._report

    def _earlier(self) -> Mapping[Key, Sequence[Mapping[str, Any]]]:
        if not self._request.resume:
            return {}
        assert self._request.json_path is not None  # Request.check
        done, results = earlier(self._request.json_path, self._report, self._subjects, self._request.threads)
        for (index, threads), processes in done.items():
            if processes:
                result = self._judge.result(self._subjects[index], threads, processes)
                kept: dict[str, Any] = {name: results[index, threads].get(name) for name in extras.NAMES}
                self._results[index, threads] = replace(result, **kept)
        self._bench.say(f"continuing {self._request.json_path}: {sum(map(len, done.values()))} processes are there")
        self._keep()
        return done

    def _process(self, key: Key, step: str) -> None:
        index, threads = key
        earlier_result = self._results.get(key)
        if earlier_result and not earlier_result.ok:
            return
        subject = self._subjects[index]
        self._bench.say(f"{step} {printable(subject.path.name)} on {self._bench.device.name}, threads: {threads}")
        document = self._bench.measure(subject, threads)
        processes = (*(earlier_result.processes if earlier_result else ()), document)
        self._results[key] = self._judge.result(subject, threads, processes)
        self._keep()

    def _scatters(self, key: Key) -> bool:
        result = self._results[key]
        variation = result.latency.between_process_cv if result.ok and result.latency else None
        return scatters(variation, len(result.processes), self._bench.preset)

    def _extras(self, key: Key) -> None:
        if not self._results[key].ok:
            return
        for name in extras.NAMES:
            if getattr(self._request, name) and getattr(self._results[key], name) is None:
                subject = self._subjects[key[0]]
                self._bench.say(f"{name}: {printable(subject.path.name)}, threads: {key[1]}")
                found = extras.measure(name, self._bench, subject, key[1], self._results[key])
                extra: dict[str, Any] = {name: found}
                self._results[key] = replace(self._results[key], **extra)
                self._keep()

    def _keep(self) -> None:
        self._report.results = [self._results[key] for key in sorted(self._results)]
        if self._request.json_path is not None:
            self._report.save(self._request.json_path)
