"""A device's cores and their clusters, as /sys shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# One line per core: number, relative capacity, top frequency in kHz, governor, whether it may be set. "-" for unknown.
SCRIPT = r"""
for c in /sys/devices/system/cpu/cpu[0-9]*; do
  f=$c/cpufreq; w=-; [ -w $f/scaling_governor ] && w=settable
  speed=$(cat $c/cpu_capacity 2>/dev/null); top=$(cat $f/cpuinfo_max_freq 2>/dev/null)
  governor=$(cat $f/scaling_governor 2>/dev/null)
  echo "core ${c##*/cpu} ${speed:--} ${top:--} ${governor:--} $w"
done
"""


@dataclass(frozen=True)
class Core:
    """``capacity`` is the kernel's, 1024 for the fastest; None where it is not told."""

    number: int
    capacity: int | None
    max_khz: int | None
    governor: str | None
    settable: bool

    @property
    def speed(self) -> int:
        """What cores are ranked by; 0 where nothing is told, and then all are alike."""
        return self.capacity or self.max_khz or 0


def parse(text: str) -> list[Core]:
    """The cores in what ``SCRIPT`` printed.

    >>> parse("core 1 1024 2841600 schedutil -\\ncore 0 - - - -\\n")[0]
    Core(number=0, capacity=None, max_khz=None, governor=None, settable=False)
    """
    rows = [line.split()[1:] for line in text.splitlines() if line.startswith("core ") and len(line.split()) == 6]
    cores = [
        Core(int(row[0]), _number(row[1]), _number(row[2]), None if row[3] == "-" else row[3], row[4] == "settable")
        for row in rows
        if row[0].isdigit()
    ]
    return sorted(cores, key=lambda core: core.number)


def big_cluster(cores: Sequence[Core]) -> list[Core]:
    """The fastest cores; all where they are alike or nothing is known."""
    top = max((core.speed for core in cores), default=0)
    return [core for core in cores if core.speed == top]


def mask(cores: Sequence[Core]) -> str:
    """As taskset takes it.

    >>> mask([Core(4, 1024, None, None, False), Core(7, 1024, None, None, False)])
    '0x90'
    """
    return hex(sum(1 << core.number for core in cores))


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
