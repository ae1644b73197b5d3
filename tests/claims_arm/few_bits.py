"""The tables of few-bit convolutions in BENCHMARKS-ARM.md: W weight bits, A activation bits, DoReFa's values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.claims.interleaved import geomean
from tests.claims_arm import cores, inorder, layers, loops, mca
from tests.claims_arm.blocks import Instructions
from tests.claims_arm.cores import Core
from tests.claims_arm.layers import Layer
from tests.claims_arm.runs import Runs
from tests.claims_arm.verdicts import verdict

Row = tuple[str, ...]


@dataclass(frozen=True)
class Widths:
    """Bits of weights and of activations."""

    weights: int
    activations: int

    def __str__(self) -> str:
        return f"W{self.weights}A{self.activations}"

    @property
    def argument(self) -> str:
        """What tfkit_kernel_runs takes for them."""
        return str(self).lower()

    @property
    def product(self) -> int:
        """Pairs of bit planes."""
        return self.weights * self.activations


WIDTHS = tuple(Widths(*pair) for pair in ((1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (2, 4), (3, 3), (4, 4)))
GRID = tuple(Widths(weights, activations) for weights in (1, 2, 3) for activations in (1, 2, 3, 4))
LAYER = Layer.parse("14x14x256")


def products(lines: Sequence[str], widths: Widths) -> float:
    """Products of values in one pass of a loop.

    CNT counts a plane pair's bits. TBL looks up 5 weight bits for 16 channels, of two pixels where A <= 2. UDOT
    multiplies 16 bytes, UMLAL 8.

    >>> products(["cnt v0.16b, v1.16b", "tbl v0.16b, { v1.16b, v2.16b }, v3.16b"], Widths(1, 2))
    224.0
    """
    total = 0.0
    for line in lines:
        if re.match(r"cnt\s+v\d+\.16b", line):
            total += 128 / widths.product
        elif re.match(r"tbl\s+v\d+\.16b, *\{ *v\d+\.16b, *v\d+\.16b *\}", line):
            total += 16 * 5 * (2 if widths.activations <= 2 else 1) / widths.weights
        elif re.match(r"udot\s+v\d+\.4s", line):
            total += 16
        elif re.match(r"umlal2?\s+v\d+\.8h", line):
            total += 8
    return total


def loop_rate(core: Core, words: Instructions, widths: Widths) -> float:
    """Modelled products a cycle of a loop."""
    lines = mca.assembly(words)
    if core.model in loops.IN_ORDER:
        return products(lines, widths) / inorder.cycles(loops.IN_ORDER[core.model], lines)
    return products(lines, widths) / mca.cycles(core.model, words)


def selected(runs: Runs, widths: Widths, layer: Layer, *kinds: Core) -> str:
    """Name of the kernel that selection takes."""
    return runs.selected(layer, *kinds, output=widths.argument)


def selection(runs: Runs) -> Iterator[Row]:
    """Kernel by core and widths."""
    for core in cores.ALL:
        yield core.name, *(selected(runs, widths, LAYER, core) for widths in WIDTHS)
    names = " + ".join(core.name for core in cores.MIXED)
    yield names, *(selected(runs, widths, LAYER, *cores.MIXED) for widths in WIDTHS)


def bit_serial_limit(core: Core, widths: Widths) -> float:
    """Products a cycle of AND or EOR, CNT and an addition, with all the core's vector pipelines."""
    pipelines = 1 if core.model in loops.IN_ORDER else 2
    return pipelines * inorder.XNOR_LIMIT / widths.product


LOOP_TARGETS = {"W1A2": 85.0, "W1A4": 55.0, "W2A2": 42.0}
A72_SHARE = 0.9
LOOP_CORES = (cores.N1, cores.A72, cores.A53, cores.A55)


def inner_loops(runs: Runs) -> Iterator[Row]:
    """The hottest block of the selected kernel."""
    for core in LOOP_CORES:
        for widths in WIDTHS:
            words = loops.hottest(runs.counts(core, LAYER, widths.argument))
            rate, limit = loop_rate(core, words, widths), bit_serial_limit(core, widths)
            target = LOOP_TARGETS.get(str(widths)) if core is cores.N1 else None
            if core is cores.A72:
                target = A72_SHARE * limit
            yield (
                *(core.name, str(widths), selected(runs, widths, LAYER, core), str(len(words)), f"{rate:.1f}"),
                *(f"{limit:.1f}", verdict(rate, round(target, 1)) if target else ""),
            )


def rate(runs: Runs, core: Core, layer: Layer, widths: Widths, kernel: str | None = None) -> float:
    """Modelled products a cycle of a whole convolution."""
    return layer.products / mca.total_cycles(core.model, runs.counts(core, layer, widths.argument, kernel))


WHOLE_CORES = (cores.N1, cores.A72)
KERNELS = {
    cores.N1.name: ("neon_lut", "neondotprod", "neon"),
    cores.A72.name: ("neon", "neon_mlal", "neon_lut"),
}


def whole(runs: Runs) -> Iterator[Row]:
    """The selected kernel on each layer, then the others on one, to see that none would have been better."""
    for core in WHOLE_CORES:
        for widths in WIDTHS:
            names = {selected(runs, widths, layer, core) for layer in layers.QUICKNET}
            rates = [rate(runs, core, layer, widths) for layer in layers.QUICKNET]
            others = {name: rate(runs, core, LAYER, widths, name) for name in KERNELS[core.name] if names != {name}}
            mine = rates[layers.QUICKNET.index(LAYER)]
            best = max([mine, *others.values()])
            yield (
                *(core.name, str(widths), ", ".join(sorted(names)), *(f"{value:.1f}" for value in rates)),
                *(f"{geomean(rates):.1f}", ", ".join(f"{name} {value:.1f}" for name, value in others.items())),
                f"{mine / best:.2f}",
            )


def fit(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Slope, intercept and R^2 of the least-squares line.

    >>> fit([(1, 3.0), (2, 5.0), (3, 7.0)])
    (2.0, 1.0, 1.0)
    """
    count = len(points)
    mean_x, mean_y = (sum(values) / count for values in zip(*points, strict=True))
    xx = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / xx
    intercept = mean_y - slope * mean_x
    residual = sum((y - slope * x - intercept) ** 2 for x, y in points)
    return slope, intercept, 1 - residual / sum((y - mean_y) ** 2 for _, y in points)


FIT_TARGET = 0.98


def instructions(runs: Runs) -> Iterator[Row]:
    """Counts of every kernel by W and A, then the line through those of the bit-serial one."""
    kernels = {"neon": cores.A72, "neon_lut": cores.N1, "neondotprod": cores.N1, "neon_mlal": cores.A72}
    counted = {
        name: {widths: runs.million_instructions(core, LAYER, widths.argument, name) for widths in GRID}
        for name, core in kernels.items()
    }
    for widths in GRID:
        yield str(widths), str(widths.product), *(f"{counted[name][widths]:.2f}" for name in kernels), ""
    slope, intercept, squared = fit([(widths.product, counted["neon"][widths]) for widths in GRID])
    line = f"{slope:.2f} W A + {intercept:.2f}"
    yield "line", "", line, "", "", "", f"R^2 {squared:.4f} {verdict(squared, FIT_TARGET)}"
    for weights in sorted({widths.weights for widths in GRID}):
        by_bits = [counted["neon_lut"][Widths(weights, bits)] for bits in (1, 2, 3, 4)]
        ratios = ", ".join(f"{million / by_bits[0]:.2f}x" for million in by_bits[1:])
        yield f"W{weights}: A2, A3, A4 over A1", "", "", ratios, "", "", ""
