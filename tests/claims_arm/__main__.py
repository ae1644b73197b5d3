"""Count and model the NEON convolutions on emulated Arm cores: ``python -m tests.claims_arm PROGRAM [SHAPE...]``.

PROGRAM is tfkit_kernel_runs, built for 64-bit Arm (android_bench/bench); a shape is HEIGHTxWIDTHxCHANNELS. Prints
modelled cycles: executions of each block under qemu x llvm-mca's cycles of it, caches and branches ignored.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.claims_arm import blocks, mca

# Million instructions of one convolution by LCE's default kernel (float output), counted the same way.
LCE_INSTRUCTIONS = {"56x56x32": 1.89, "56x56x64": 4.52, "28x28x128": 3.42, "14x14x256": 3.17, "7x7x512": 3.25}
# Modelled product sums a cycle that whole convolutions are to reach.
TARGETS = {
    "neon_xnor": ("cortex-a72", {"56x56x64": 68, "28x28x128": 76, "14x14x256": 79, "7x7x512": 79}),
    "neon_lut": ("neoverse-n1", {"56x56x64": 80, "28x28x128": 100, "14x14x256": 100, "7x7x512": 100}),
}


def row(program: Path, kernel: str, output: str, shape: str) -> str:
    """One line of the table."""
    height, width, channels = shape.split("x")
    counts = blocks.per_run("cortex-a76", program, kernel, output, height, width, channels, channels, "1", "3")
    million = blocks.instructions(counts) / 1e6
    core, targets = TARGETS[kernel]
    rate = int(height) * int(width) * 9 * int(channels) ** 2 / mca.total_cycles(core, counts)
    cells = [kernel, output, shape, f"{million:.2f}", f"{million / LCE_INSTRUCTIONS[shape]:.2f}", core]
    return f"| {' | '.join([*cells, f'{rate:.1f}', str(targets.get(shape, '-'))])} |"


def main() -> None:
    """Print the table, a line as soon as it is known."""
    program, shapes = Path(sys.argv[1]), sys.argv[2:] or list(LCE_INSTRUCTIONS)
    sys.stdout.write(f"Modelled ({mca.version()}), caches and branches ignored.\n\n")
    sys.stdout.write(
        "| kernel | output | 3x3 convolution | million instructions | of LCE's | core | bMAC/cycle | target |\n"
    )
    sys.stdout.write("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
    for kernel in TARGETS:
        for output in ("float", "bitpacked"):
            for shape in shapes:
                sys.stdout.write(row(program, kernel, output, shape) + "\n")


if __name__ == "__main__":
    main()
