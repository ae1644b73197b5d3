"""Time flatbuffers on a device: whole, and op by op, by turns, so that what else the device does hits both alike.

Outputs are not compared with a reference: weights may be random, and what the kernels compute is ``tfkit bench``'s
business. Of each process the fastest runs count (``QUANTILE``), of several turns the fastest, for whatever else the
device does can only add to a time. On a quiet device that is within a few per cent of the median.
"""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from tfkit._errors import DeviceError, UnsupportedError
from tfkit.bench import runner
from tfkit.bench.bundle import Bundle
from tfkit.bench.gate.meaning import times_hardware
from tfkit.bench.golden import Golden
from tfkit.bench.profile import Profile, attribute
from tfkit.bench.profile.model import MEASURED, UNATTRIBUTED
from tfkit.bench.spec import Preset
from tfkit.bench.subject import MODEL, Subject
from tfkit.devices import Device
from tfkit.runtime.model_file import read_model
from tfkit.tradeoffs.advise.cache import Cache, Network, Sample, identity
from tfkit.tradeoffs.advise.sites import Site, sites

Say = Callable[[str], None]
# Short: an op's time is a mean over hundreds of runs, and turns are repeated.
PRESET = Preset("advise", 5, 0.1, 0.0, 64, 0.25, 3000, 20.0, processes=1)
PROFILED = replace(PRESET, runs=200)
TURNS = 3
QUANTILE = 0.05
CPUS = "big"
_NOT_COMPARED = Golden([], [], 0, 0.0, 0, "not compared")


@dataclass(frozen=True)
class Timed:
    """One flatbuffer: seconds of a run, a sample of each op in order, and how many partitions ran them."""

    sites: tuple[Site, ...]
    samples: tuple[Sample, ...]
    partitions: int
    seconds: float

    def by_key(self) -> dict[str, Sample]:
        """The samples, for the cache; that of an op which is there several times has the mean of their times."""
        found: dict[str, list[Sample]] = {}
        for site, sample in zip(self.sites, self.samples, strict=True):
            found.setdefault(site.key, []).append(sample)
        return {key: replace(same[0], seconds=fmean(s.seconds for s in same)) for key, same in found.items()}

    def network(self, name: str, group: str) -> Network:
        """The whole, for the cache."""
        return Network(name, group, tuple(site.key for site in self.sites), self.partitions, self.seconds)


class Stopwatch:
    """An open device that was given what it needs to time flatbuffers."""

    def __init__(self, device: Device, threads: int, say: Say) -> None:
        """Raises ``UnsupportedError`` for a device whose clock says nothing about hardware."""
        check_clock(device)
        self._device, self._threads, self._say = device, threads, say
        self._bundle = Bundle.for_device(device)
        self._bundle.push(device)

    def cache(self, folder: Path | None = None) -> Cache:
        """Where this device's measurements are kept."""
        made = self._bundle.provenance()
        return Cache(identity(self._device.name, self._device.properties(), made, self._threads, CPUS), folder)

    def time(self, flatbuffers: Mapping[str, bytes], turns: int = TURNS) -> dict[str, Timed]:
        """Name -> times.

        Raises:
            InferenceError: a flatbuffer that the device cannot run.
            DeviceError: the device does not answer, or its runtime does not tell the times of ops.
        """
        whole: dict[str, list[float]] = {name: [] for name in flatbuffers}
        profiles: dict[str, list[Profile]] = {name: [] for name in flatbuffers}
        with tempfile.TemporaryDirectory(prefix="tfkit-advise-") as folder:
            subjects = {
                name: _subject(name, data, Path(folder, str(number)))
                for number, (name, data) in enumerate(flatbuffers.items())
            }
            for turn in range(turns):
                for number, (name, subject) in enumerate(subjects.items(), 1):
                    step = turn * len(subjects) + number
                    self._say(f"[{step}/{turns * len(subjects)}] timing {name}")
                    whole[name].append(self._latency(subject))
                    profiles[name].append(attribute(calm(self._run(subject, "profile")), subject.file.data))
        return {name: _timed(flatbuffers[name], whole[name], profiles[name]) for name in flatbuffers}

    def _latency(self, subject: Subject) -> float:
        times = (self._run(subject, "latency").get("measurement") or {}).get("run_ns")
        if not times:
            raise DeviceError(f"{self._device.name} timed no run of {subject.path}; see `tfkit devices doctor`")
        return float(np.quantile(times, QUANTILE)) * 1e-9

    def _run(self, subject: Subject, mode: str) -> Mapping[str, Any]:
        flags = ["--model", self._device.push(subject.folder / MODEL), "--threads", str(self._threads)]
        preset = PROFILED if mode == "profile" else PRESET
        flags += ["--cpus", CPUS, "--mode", mode, *preset.flags()]
        return runner.start(subject, self._device, self._bundle, flags, PRESET.longest_seconds)


def check_clock(device: Device) -> None:
    """Raise ``UnsupportedError``, saying what to do instead, for a device that is emulated or simulated."""
    simulated = bool(device.properties().get("simulated"))
    if not times_hardware({"times_meaningful": device.times_meaningful, "simulated": simulated}):
        raise UnsupportedError(
            f"{device.name} is {'simulated' if simulated else 'emulated'}: its times say nothing about hardware, so "
            "there is nothing to advise from. Give the device itself (--device adb, ssh:HOST, local), or see "
            "BENCHMARKS-ARM.md for how many instructions the kernels take there"
        )


def calm(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A profile's document with its fastest runs only: in the others the device did something else as well.

    The delegate tells its nodes' times as sums over all runs; those shrink as the partition's own event does.
    """
    profile = document.get("profile")
    if not profile or len(profile.get("wall_ns") or ()) < 4:
        return document
    limit = np.quantile(profile["wall_ns"], QUANTILE)
    kept = [index for index, wall in enumerate(profile["wall_ns"]) if wall <= limit]
    changed = copy.deepcopy(dict(document))
    inner = changed["profile"]
    inner["wall_ns"] = [profile["wall_ns"][index] for index in kept]
    inner["runs"] = len(kept)
    shrunk: dict[int, float] = {}
    for event, original in zip(inner["events"], profile["events"], strict=True):
        event["us"] = [original["us"][index] for index in kept]
        if event["kind"] == "node" and sum(original["us"]):
            shrunk[event["node"]] = fmean(event["us"]) / fmean(original["us"])
    before = {node["node"]: node["nanoseconds"] for node in (profile.get("delegate_before") or {}).get("nodes", ())}
    factors = {
        index: shrunk.get(entry["node"], 1.0)
        for entry in profile["plan"]
        if entry["delegate"] == "TfkitDelegate"
        for index in entry["replaces"]
    }
    for node in (changed.get("delegate") or {}).get("nodes", ()):
        base = before.get(node["node"], 0)
        node["nanoseconds"] = base + (node["nanoseconds"] - base) * factors.get(node["node"], 1.0)
    return changed


def _subject(name: str, data: bytes, folder: Path) -> Subject:
    folder.mkdir()
    (folder / MODEL).write_bytes(data)
    return Subject(Path(name), read_model(data), _NOT_COMPARED, folder)


def _timed(flatbuffer: bytes, whole: Sequence[float], profiles: Sequence[Profile]) -> Timed:
    found = sites(flatbuffer)
    turns = [{row.index: row for row in profile.rows if row.index is not None} for profile in profiles]
    quickest = min(turns, key=lambda rows: sum(row.seconds for row in rows.values()))
    if any(row.how == UNATTRIBUTED for row in quickest.values()):
        raise DeviceError("the runtime on this device does not tell the times of single ops, which advice is made of")
    made = []
    for site in found:
        row = quickest.get(site.index)
        seconds = 0.0 if row is None else row.seconds
        runs_in = row.runs_in if row is not None and row.how == MEASURED else ""
        made.append(Sample(site.kind, site.macs, site.traffic, site.weight_bytes, site.channels, seconds, runs_in))
    places = {(row.runs_in, row.partition if row.partition is not None else row.index) for row in quickest.values()}
    return Timed(found, tuple(made), len(places), min(whole, default=math.nan))
