"""Executions of tfkit_kernel_runs under qemu, counted once each."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from tests.claims_arm import blocks
from tests.claims_arm.blocks import Counts
from tests.claims_arm.cores import Core
from tests.claims_arm.layers import Layer, Pointwise

NO_KERNEL = 2  # exit code


class Runs:
    """One build of the program."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self.counts = functools.cache(self._counts)
        self.selected = functools.cache(self._selected)

    def _counts(self, core: Core, layer: Layer | Pointwise, output: str, kernel: str | None = None) -> Counts:
        """Executions by block that one convolution adds, by the kernel named or the one selected for the core."""
        return blocks.per_run(core.emulated, self._program, kernel or core.type, output, *layer.arguments)

    def _selected(self, layer: Layer | Pointwise, *cores: Core, output: str = "float") -> str:
        """Name of the kernel that selection takes where the cores are of these kinds; empty if none."""
        emulator = ["qemu-aarch64", "-cpu", cores[0].emulated, "-L", str(blocks.SYSROOT)]
        types = ",".join(core.type for core in cores)
        command = [*emulator, str(self._program), types, output, *layer.arguments, "0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode == NO_KERNEL and "no kernel suits" in done.stderr:
            return ""
        done.check_returncode()
        return done.stdout.strip()

    def million_instructions(
        self, core: Core, layer: Layer | Pointwise, output: str, kernel: str | None = None
    ) -> float:
        """Of one convolution."""
        return blocks.instructions(self.counts(core, layer, output, kernel)) / 1e6
