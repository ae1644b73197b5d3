"""A folder with the files of /proc and /sys that the runner reads, as a phone of a test's choosing has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


class FakeRoot:
    """Give ``path`` to ``tfkit_bench --root``. All cores are allowed unless said otherwise."""

    def __init__(self, path: Path, cores: int, allowed: str | None = None) -> None:
        self.path = path
        self.write("sys/devices/system/cpu/online", f"0-{cores - 1}")
        self.write("proc/self/status", f"Name:\tx\nCpus_allowed_list:\t{allowed or f'0-{cores - 1}'}")

    def write(self, name: str, text: str) -> None:
        """A file with its folders, ending in a line break as the kernel's do."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def capacities(self, values: Sequence[int | None]) -> None:
        """cpu_capacity of each core; None: no such file."""
        for cpu, value in enumerate(values):
            if value is not None:
                self.write(f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity", str(value))

    def frequencies(self, values: Sequence[int]) -> None:
        """cpuinfo_max_freq of each core, kHz."""
        for cpu, value in enumerate(values):
            self.write(f"sys/devices/system/cpu/cpu{cpu}/cpufreq/cpuinfo_max_freq", str(value))

    def policy(self, number: int, files: Mapping[str, str]) -> None:
        """One cpufreq policy: files below it."""
        for name, text in files.items():
            self.write(f"sys/devices/system/cpu/cpufreq/policy{number}/{name}", text)

    def thread(self, number: int, name: str, cpu: int, allowed: str) -> None:
        """A thread of "the process"; field 39 of its stat is the CPU that it ran on last."""
        fields = " ".join(["S", *("0" for _ in range(35)), str(cpu), *("0" for _ in range(13))])
        self.write(f"proc/self/task/{number}/stat", f"{number} ({name}) {fields}")
        self.write(f"proc/self/task/{number}/status", f"Name:\t{name}\nCpus_allowed_list:\t{allowed}")
