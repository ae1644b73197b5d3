"""Fit of the costs in android_bench/kernels/sparse_conv2d/neon.cc: ``python -m tests.claims_arm.sparse_cost PROGRAM``.

The unit is a multiply-add of XNNPACK's dense kernel, of the layer on which it takes least for one. What the sparse
kernel takes, per pixel padded to whole vectors, is fitted as

    single * (weights outside of blocks) + in_block * (weights in blocks) + moved * (depth + outputs)

by least squares of the relative error over MobileNetV1's 1x1 layers and sparsities, once for executed instructions and
once for modelled cycles, on each core. Selection is not to take what is slower on any of them: it has the largest of
each. Caches are in neither figure, so ``streamed`` stays what it is on x86-64.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.claims_arm import blocks, layers, mca, sparse
from tests.claims_arm.blocks import Counts
from tests.claims_arm.cores import Core
from tests.claims_arm.layers import Pointwise
from tests.claims_arm.runs import Runs

LANES = 4
GROUP = 4  # outputs in a block
ZEROS = (50, 70, 90)


@dataclass(frozen=True)
class Cost:
    """In dense multiply-adds, as in pays.h."""

    single: float
    in_block: float
    moved: float
    one: float
    one_block: float
    worst: float  # relative error of the first three

    def __str__(self) -> str:
        return (
            f"single {self.single:.2f}, in_block {self.in_block:.2f}, moved {self.moved:.2f}, one {self.one:.2f}, "
            f"one_block {self.one_block:.2f}; worst error {self.worst:.0%}"
        )


def nonzeros(layer: Pointwise, zeros: int, group: int) -> int:
    """Weights that tfkit_kernel_runs leaves: its generator's numbers, one for each group of outputs and input."""
    state, kept = 1, 0
    for first in range(0, layer.channels, group):
        outputs = min(group, layer.channels - first)
        for _ in range(layer.inputs):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            kept += outputs * ((state >> 16) * 100 >= zeros << 16)
    return kept


def fit(
    runs: Runs, core: Core, measure: Callable[[Counts], float], images: Sequence[Pointwise], one: Pointwise
) -> Cost:
    """Of layers with many pixels, and of one with a single one."""

    def ours(layer: Pointwise, output: str) -> float:
        return measure(runs.counts(core, layer, output, sparse.KERNEL))

    rows, taken = [], []
    for layer in images:
        pixels = -(-layer.size * layer.size // LANES) * LANES
        for zeros in ZEROS:
            strewn = [nonzeros(layer, zeros, 1), 0]
            blocked = [0, nonzeros(layer, zeros, GROUP)]
            for pattern, weights in (("s", strewn), ("b", blocked)):
                taken.append(ours(layer, f"{pattern}{zeros}"))
                rows.append([pixels * number for number in (*weights, layer.inputs + layer.channels)])
    relative = np.array(rows) / np.array(taken)[:, None]
    found = np.linalg.lstsq(relative, np.ones(len(taken)), rcond=None)[0]
    worst = float(np.abs(relative @ found - 1).max())

    unit = min(measure(sparse.dense(core, layer)) / layer.products for layer in images)
    unit_of_one = measure(sparse.dense(core, one)) / one.products
    single, in_block, moved = (float(value) / unit for value in found)
    rest = moved * unit_of_one * (one.inputs + one.channels)
    of_one = [
        (ours(one, f"{pattern}{ZEROS[0]}") - rest) / nonzeros(one, ZEROS[0], group) / unit_of_one
        for pattern, group in (("s", 1), ("b", GROUP))
    ]
    return Cost(single, in_block, moved, of_one[0], of_one[1], worst)


def main() -> None:
    """Print the fits, then the largest of each."""
    runs = Runs(Path(sys.argv[1]))
    *images, one = layers.MOBILENET
    costs = []
    for core in sparse.CORES:

        def modelled(counts: Counts, model: str = core.model) -> float:
            return mca.total_cycles(model, counts)

        for name, measure in (("instructions", blocks.instructions), ("modelled cycles", modelled)):
            costs.append(fit(runs, core, measure, images, one))
            sys.stdout.write(f"{core.name}, {name}: {costs[-1]}\n")
    fields = ("single", "in_block", "moved", "one", "one_block")
    largest = ", ".join(f"{field} {max(getattr(cost, field) for cost in costs):.2f}" for field in fields)
    sys.stdout.write(f"largest: {largest}\n")


if __name__ == "__main__":
    main()
