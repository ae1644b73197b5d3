"""What to run: presets of warm-up, samples, processes and cool-down."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tfkit._registry import Registry


@dataclass(frozen=True)
class Preset:
    """How much to measure. Times in seconds, counts per process.

    ``max_runs`` ends the loop of a model so small that ``min_seconds`` would bring millions of samples.
    Each of ``processes`` is a fresh start of the runner: most variation lies between processes, not within one. They
    are repeated on each of ``days``; ``cool_seconds`` is the longest wait for a cool device before a process. Where
    the processes differ too much to show a change (``scatters``), up to ``extra_processes`` more are started.
    """

    name: str
    warmup_runs: int
    warmup_seconds: float
    warmup_stable_seconds: float
    runs: int
    min_seconds: float
    max_runs: int
    max_seconds: float
    processes: int
    days: int = 1
    cool_seconds: float = 0.0
    extra_processes: int = 0

    def flags(self) -> list[str]:
        """The runner's flags."""
        return [
            f"--warmup-runs={self.warmup_runs}",
            f"--warmup-seconds={self.warmup_seconds}",
            f"--warmup-stable-seconds={self.warmup_stable_seconds}",
            f"--runs={self.runs}",
            f"--min-seconds={self.min_seconds}",
            f"--max-runs={self.max_runs}",
            f"--max-seconds={self.max_seconds}",
        ]

    @property
    def longest_seconds(self) -> float:
        """Time limit of one process's loops; loading and the first run come on top."""
        return max(self.max_seconds, self.warmup_seconds, self.warmup_stable_seconds) + self.max_seconds

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, every number of it: a preset may change from one version to the next."""
        return asdict(self)


PRESETS: Registry[Preset] = Registry("preset")
for _preset in (
    # 64 samples: the fewest that support a 90th percentile (MLPerf Mobile's rapid mode, and statistics.py).
    Preset("quick", 5, 0.5, 0.0, 64, 0.0, 64, 60.0, processes=1),
    # 256 samples and 3 s as hyperfine asks; five processes show the variation between starts, and five more are there
    # for the machine on which one start of five was disturbed: of ten, one outlier decides no test.
    Preset("standard", 10, 1.0, 5.0, 256, 3.0, 10_000, 60.0, processes=5, cool_seconds=300.0, extra_processes=5),
    # MLPerf Mobile's normal mode: 1024 samples, 60 s, at most 600 s; on a second day the room has another temperature.
    Preset("publish", 10, 1.0, 5.0, 1024, 60.0, 100_000, 600.0, processes=5, days=2, cool_seconds=300.0),
):
    PRESETS.add(_preset.name, _preset)

# Where times mean nothing only the first run counts.
CORRECTNESS = Preset("correctness", 0, 0.0, 0.0, 0, 0.0, 0, 0.0, processes=1)


SUSTAINED = "sustained"


def sustained(minutes: int) -> Preset:
    """One process after the other, a minute each, with neither warm-up nor pause: what heat does to a model.

    A process per minute, because each brings temperatures, frequencies and canary from before and after its loop; the
    second that a start takes is the price.
    """
    return Preset(SUSTAINED, 1, 0.0, 0.0, 1, 60.0, 1_000_000, 60.0, processes=minutes)
