"""What to run: presets of warm-up and sample counts."""

from __future__ import annotations

from dataclasses import dataclass

from tfkit._registry import Registry


@dataclass(frozen=True)
class Preset:
    """How much to measure. Times in seconds, counts per process.

    ``max_runs`` ends the loop of a model so small that ``min_seconds`` would bring millions of samples.
    Each of ``processes`` is a fresh start of the runner: most variation lies between processes, not within one.
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


PRESETS: Registry[Preset] = Registry("preset")
for _preset in (
    # 64 samples: the fewest that support a 90th percentile (MLPerf Mobile's rapid mode, and statistics.py).
    Preset("quick", 5, 0.5, 0.0, 64, 0.0, 64, 60.0, processes=1),
    # 256 samples and 3 s as hyperfine asks; five processes show the variation between starts.
    Preset("standard", 10, 1.0, 5.0, 256, 3.0, 10_000, 60.0, processes=5),
):
    PRESETS.add(_preset.name, _preset)

# Where times mean nothing only the first run counts.
CORRECTNESS = Preset("correctness", 0, 0.0, 0.0, 0, 0.0, 0, 0.0, processes=1)
