"""Innermost loops: ``python -m tests.claims_arm.loops PROGRAM [KERNEL...]`` prints what the models say of each.

The loop is the block that most instructions of a 14x14x256 convolution are spent in. Modelled, caches ignored.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.claims_arm import blocks, inorder, mca
from tests.claims_arm.blocks import Counts, Instructions
from tests.claims_arm.layers import Layer

OUT_OF_ORDER = ("cortex-a72", "neoverse-n1", "neoverse-n2", "neoverse-v2")
IN_ORDER = {"cortex-a53": inorder.A53, "cortex-a55": inorder.A55}


def hottest(counts: Counts) -> Instructions:
    """The block that most instructions are spent in, if it is a loop's."""
    words = max(counts, key=lambda words: counts[words] * len(words))
    if not blocks.is_branch(words[-1]):
        raise ValueError("the block that most instructions are spent in does not end with a branch, so it is no loop")
    return words


def products(lines: list[str]) -> int:
    """Binary products of one pass: CNT counts 8 a byte, TBL looks up 2 pixels' 4 or 5 (of two registers) a byte."""
    total = 0
    for line in lines:
        if match := re.match(r"cnt\s+v\d+\.(8|16)b", line):
            total += 8 * int(match[1])
        elif match := re.match(r"tbl\s+v\d+\.16b, *\{(.*)\}", line):
            total += 16 * 2 * (3 + len(match[1].split(",")))
    return total


def rate(core: str, words: Instructions) -> float:
    """Modelled products a cycle: llvm-mca's figure, or for in-order cores that of `tests.claims_arm.inorder`."""
    lines = mca.assembly(words)
    cycles = inorder.cycles(IN_ORDER[core], lines) if core in IN_ORDER else mca.cycles(core, words)
    return products(lines) / cycles


def has_wide_load(words: Instructions) -> bool:
    """Whether a loop loads 128 bits or more by one instruction."""
    loads = (inorder.parse(line) for line in mca.assembly(words))
    return any(load.is_load and load.loaded_bytes >= 16 for load in loads)


def main() -> None:
    """Print a line per kernel and core."""
    program, kernels = Path(sys.argv[1]), sys.argv[2:] or ["neon_xnor", "neon_lut"]
    for kernel in kernels:
        words = hottest(blocks.per_run("max", program, kernel, "float", *Layer.parse("14x14x256").arguments))
        lines = mca.assembly(words)
        wide = "128-bit loads" if has_wide_load(words) else "no 128-bit loads"
        sys.stdout.write(f"{kernel}: {len(lines)} instructions, {products(lines)} products, {wide}\n")
        for core in (*IN_ORDER, *OUT_OF_ORDER):
            figure = rate(core, words)
            of_limit = f" ({figure / inorder.XNOR_LIMIT:.1%} of 42.7)" if core in IN_ORDER else ""
            sys.stdout.write(f"  {core}: {figure:.1f} bMAC/cycle{of_limit}\n")


if __name__ == "__main__":
    main()
