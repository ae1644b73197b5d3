"""The tables of sparse layers in BENCHMARKS-ARM.md: ``python -m tests.claims_arm.sparse PROGRAM`` prints them alone.

XNNPACK is LiteRT without the delegate on the same flatbuffer: on these it multiplies by the zeros
(android_bench/delegate/README.md says where it would not). Zeros are strewn at random, or "in blocks" of 1 input x 4
outputs, as ``tfkit prune --method block`` makes them.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.claims.sparse_networks import network
from tests.claims_arm import blocks, cores, graphs, layers, litert, mca
from tests.claims_arm.blocks import Counts
from tests.claims_arm.cores import Core
from tests.claims_arm.layers import Pointwise
from tests.claims_arm.runs import Runs
from tests.claims_arm.verdicts import verdict

Row = tuple[str, ...]
CORES = (cores.A72, cores.N1)
ZEROS = (50, 70, 80, 90)  # per cent
# "at least as fast as dense, whatever the sparsity", and what x86 has to reach.
LEAST = {80: 1.4, 90: 1.8}
PATTERNS = {"s": "strewn", "b": "in blocks"}  # as tfkit_kernel_runs has them
KERNEL = "neon"


def dense(core: Core, layer: Pointwise) -> Counts:
    """Of XNNPACK: weights are weights to it."""
    weights = np.full((layer.channels, layer.inputs), 0.5, np.float32)
    return litert.counts(core, graphs.pointwise(weights, layer.size), delegate=False)


def gain(core: Core, theirs: Counts, ours: Counts) -> tuple[float, float]:
    """How many times more instructions, and modelled cycles, one takes than the other."""
    cycles = mca.total_cycles(core.model, theirs) / mca.total_cycles(core.model, ours)
    return blocks.instructions(theirs) / blocks.instructions(ours), cycles


def whole(_: Runs) -> Iterator[Row]:
    """One line per pattern, sparsity and core."""
    dense_counts: dict[Core, Counts] = {}
    for (pattern, name), zeros in itertools.product(PATTERNS.items(), ZEROS):
        flatbuffer = network(zeros / 100, blocks=pattern == "b")
        taken = litert.kernels(CORES[0], flatbuffer)
        for core in CORES:
            if core not in dense_counts:  # zeros change nothing here
                dense_counts[core] = litert.counts(core, flatbuffer, delegate=False)
            theirs, ours = dense_counts[core], litert.counts(core, flatbuffer, delegate=True)
            instructions, cycles = gain(core, theirs, ours)
            yield (
                *(f"{zeros} %", name, core.name, str(taken.count(KERNEL))),
                *(f"{blocks.instructions(counts) / 1e6:.1f}" for counts in (theirs, ours)),
                *(f"{instructions:.2f}x", f"{cycles:.2f}x"),
                verdict(round(min(instructions, cycles), 2), LEAST.get(zeros, 1)),
            )


def alone(runs: Runs) -> Iterator[Row]:
    """One line per core, layer and pattern; what selection leaves to XNNPACK is in brackets."""
    for core in CORES:
        for layer in (*layers.MOBILENET[:-1:2], layers.MOBILENET[-1]):  # every other, and the dense one
            theirs = dense(core, layer)
            for pattern, name in PATTERNS.items():
                cells, least = [], []
                for zeros in ZEROS:
                    output = f"{pattern}{zeros}"
                    instructions, cycles = gain(core, theirs, runs.counts(core, layer, output, KERNEL))
                    chosen = runs.selected(layer, core, output=output) == KERNEL
                    if chosen:
                        least += [instructions, cycles]
                    text = f"{instructions:.2f} / {cycles:.2f}"
                    cells.append(text if chosen else f"({text})")
                # Nothing is asked of a layer that is left to XNNPACK.
                yield core.name, str(layer), name, *cells, verdict(round(min(least), 2), 1) if least else "none taken"


def main() -> None:
    """Print the tables as BENCHMARKS-ARM.md has them."""
    from tests.claims.table import table
    from tests.claims_arm.tables import TABLES

    runs = Runs(Path(sys.argv[1]))
    for entry in TABLES:
        if entry.title.startswith("Sparse"):
            text = table(entry.headings, list(entry.rows(runs)))
            sys.stdout.write(f"## {entry.title}\n\n{entry.text}\n\n{text}\n\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
