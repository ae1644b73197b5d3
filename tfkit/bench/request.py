"""What a user asks of one benchmark, checked before anything is done for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit._errors import UsageError
from tfkit._files import check_writable
from tfkit.bench import inputs, spec
from tfkit.bench.spec import PRESETS, Preset

MAX_THREADS = 256
LONGEST_SUSTAINED = 24 * 60


@dataclass(frozen=True)
class Request:
    """The arguments of ``tfkit.bench.run``."""

    models: tuple[Path, ...]
    threads: tuple[int, ...]
    preset: str
    seed: int
    data: str | os.PathLike[str] | None
    kernel: str | None
    cpus: str | None
    memory: bool
    profile: bool
    energy: bool
    sustained: int | None
    json_path: str | os.PathLike[str] | None
    resume: bool
    runner: Path | None

    def check(self) -> Preset:
        """The preset, when everything fits together.

        Raises:
            UsageError: a name, a number or a combination that makes no sense.
            InputError: the result cannot be written where it is to go.
        """
        if not self.models:
            raise UsageError("no models; give the path of at least one .tflite file")
        if len(set(self.models)) != len(self.models):
            raise UsageError("a model is given twice; give each path once")
        counts = self.threads
        if not counts or any(not 1 <= n <= MAX_THREADS for n in counts) or len(set(counts)) != len(counts):
            raise UsageError(f"threads are {list(counts)}; give distinct numbers from 1 to {MAX_THREADS}")
        if not 0 <= self.seed <= inputs.MAX_SEED:
            raise UsageError(f"the seed is {self.seed}; give an integer from 0 to 2^64 - 1")
        if self.resume and self.json_path is None:
            raise UsageError("--resume continues the file that --json names; give both")
        if self.runner and (self.memory or self.profile or self.energy or self.sustained):
            raise UsageError("another tool's runner only measures latency; leave out what else is asked, or --runner")
        chosen = PRESETS[self.preset]
        if self.sustained is not None:
            if not 2 <= self.sustained <= LONGEST_SUSTAINED:
                raise UsageError(f"sustained for {self.sustained} minutes; give from 2 to {LONGEST_SUSTAINED}")
            if len(self.models) > 1 or len(counts) > 1:
                raise UsageError("a sustained run heats the device for whatever comes next; give one model, one count")
            chosen = spec.sustained(self.sustained)
        if self.json_path is not None:
            check_writable(self.json_path)
        return chosen

    def to_json(self, preset: Preset) -> dict[str, Any]:
        """JSON-ready: the settings that make two results comparable."""
        return {
            "preset": preset.to_json(),
            "threads": list(self.threads),
            "seed": self.seed,
            "data": None if self.data is None else str(self.data),
            "kernel": self.kernel,
            "cpus": self.cpus,
            "runner": None if self.runner is None else self.runner.name,
        }
