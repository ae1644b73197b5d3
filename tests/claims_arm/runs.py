"""Executions of tfkit_kernel_runs under qemu, counted once each."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from tests.claims_arm import blocks
from tests.claims_arm.blocks import Counts
from tests.claims_arm.cores import Core
from tests.claims_arm.layers import Layer


class Runs:
    """One build of the program."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self.counts = functools.cache(self._counts)
        self.selected = functools.cache(self._selected)

    def _counts(self, core: Core, layer: Layer, output: str, kernel: str | None = None) -> Counts:
        """Executions by block that one convolution adds, by the kernel named or the one selected for the core."""
        return blocks.per_run(core.emulated, self._program, kernel or core.type, output, *layer.arguments)

    def _selected(self, core: Core, layer: Layer) -> str:
        """Name of the kernel that selection takes where all cores are of this kind."""
        emulator = ["qemu-aarch64", "-cpu", core.emulated, "-L", str(blocks.SYSROOT)]
        command = [*emulator, str(self._program), core.type, "float", *layer.arguments, "0"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    def million_instructions(self, core: Core, layer: Layer, output: str, kernel: str | None = None) -> float:
        """Of one convolution."""
        return blocks.instructions(self.counts(core, layer, output, kernel)) / 1e6
