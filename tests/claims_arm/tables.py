"""The tables of BENCHMARKS-ARM.md, from runs of the kernels that selection takes for each core."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.claims.interleaved import geomean
from tests.claims_arm import cores, few_bits, inorder, layers, lce, loops, mca, sparse
from tests.claims_arm.cores import Core
from tests.claims_arm.layers import Layer
from tests.claims_arm.runs import Runs
from tests.claims_arm.verdicts import verdict

Row = tuple[str, ...]
MODELLED = "modelled, caches ignored"
OUTPUTS = ("float", "bitpacked")


@dataclass(frozen=True)
class Table:
    """A heading, what stands under it, and its lines."""

    title: str
    text: str
    headings: Row
    rows: Callable[[Runs], Iterator[Row]]


def selection(runs: Runs) -> Iterator[Row]:
    """Kernel by core and layer."""
    for core in cores.ALL:
        yield core.name, core.type, *(runs.selected(layer, core) for layer in layers.ALL)
    names, types = (
        " + ".join(column) for column in zip(*((core.name, core.type) for core in cores.MIXED), strict=True)
    )
    yield names, types, *(runs.selected(layer, *cores.MIXED) for layer in layers.ALL)


INSTRUCTION_TARGETS = {"56x56x32": 0.70, "56x56x64": 0.82, "28x28x128": 0.92, "14x14x256": 0.98, "7x7x512": 0.98}


def instructions(runs: Runs) -> Iterator[Row]:
    """The popcount kernel on the core whose kernel it is."""
    core = cores.A72
    for layer in layers.ALL:
        counted = {output: runs.million_instructions(core, layer, output) for output in OUTPUTS}
        for output, million in counted.items():
            ratio = million / lce.INSTRUCTIONS[output][str(layer)]
            order = verdict(million / counted["float"], 1, at_most=True) if output == "bitpacked" else ""
            yield (
                *(str(layer), output, runs.selected(layer, core), f"{million:.2f}", f"{ratio:.2f}x"),
                *(verdict(ratio, INSTRUCTION_TARGETS[str(layer)], at_most=True), order),
            )


# Targets of the whole convolution at 64, 128, 256 and 512 channels, and of the geometric mean over LCE's.
RATE_TARGETS: tuple[tuple[Core, Sequence[float] | None, float | None], ...] = (
    (cores.A72, (68, 76, 79, 79), 1.10),
    (cores.N1, (80, 100, 100, 100), 1.3),
    (cores.N2, None, 1.3),
    (cores.V2, None, 1.1),
)


def _whole(runs: Runs, core: Core, output: str, kernel: str | None) -> list[float]:
    return [
        layer.products / mca.total_cycles(core.model, runs.counts(core, layer, output, kernel))
        for layer in layers.QUICKNET
    ]


def whole(runs: Runs) -> Iterator[Row]:
    """Selected kernels with both outputs, then the other kernel for comparison."""
    for core, targets, mean_target in RATE_TARGETS:
        theirs = lce.RATES[core.model]
        chosen = {runs.selected(layer, core) for layer in layers.QUICKNET}
        name = ", ".join(sorted(chosen))
        for output in OUTPUTS:
            rates = _whole(runs, core, output, None)
            gains = [rate / theirs[str(layer)] for layer, rate in zip(layers.QUICKNET, rates, strict=True)]
            for index, (layer, rate) in enumerate(zip(layers.QUICKNET, rates, strict=True)):
                target = verdict(rate, targets[index]) if targets else ""
                yield core.name, name, output, str(layer), f"{rate:.1f}", f"{gains[index]:.2f}x", target
            mean = geomean(gains)
            target = verdict(mean, mean_target) if mean_target and output == "float" else ""
            yield core.name, name, output, "geometric mean", "", f"{mean:.2f}x", target
        for other in sorted({"neon_xnor", "neon_lut"} - chosen):
            rates = _whole(runs, core, "float", other)
            gains = [rate / theirs[str(layer)] for layer, rate in zip(layers.QUICKNET, rates, strict=True)]
            text = " / ".join(f"{rate:.1f}" for rate in rates)
            yield core.name, f"{other} (not selected)", "float", "all four", text, f"{geomean(gains):.2f}x", ""


LOOP_TARGETS = {"neoverse-n1": 125.0, "cortex-a53": 0.88 * inorder.XNOR_LIMIT, "cortex-a55": 0.95 * inorder.XNOR_LIMIT}


def inner_loops(runs: Runs) -> Iterator[Row]:
    """The hottest block of the kernel that each core gets."""
    layer = Layer.parse("14x14x256")
    for core in (cores.A53, cores.A55, cores.A72, cores.N1, cores.N2, cores.V2):
        words = loops.hottest(runs.counts(core, layer, "float"))
        rate = loops.rate(core.model, words)
        target = LOOP_TARGETS.get(core.model)
        model = "issue model" if core.model in loops.IN_ORDER else f"llvm-mca {core.model}"
        yield (
            *(core.name, runs.selected(layer, core), model, str(len(words)), f"{rate:.1f}"),
            *(f"{rate / inorder.XNOR_LIMIT:.0%}" if core.model in loops.IN_ORDER else "",),
            *(verdict(round(rate, 1), round(target, 1)) if target else "", _wide_loads(core, words)),
        )


def _wide_loads(core: Core, words: tuple[int, ...]) -> str:
    wide = loops.has_wide_load(words)
    required = {True: "none allowed: missed", False: "none: met"}[wide] if core.model in loops.IN_ORDER else ""
    return required or ("yes" if wide else "none")


GROUPED_TARGET = 6.0


def grouped(runs: Runs) -> Iterator[Row]:
    """Large maps with groups against LCE's indirect mode, the only one that has groups."""
    core = cores.A72
    for layer in layers.GROUPED:
        million = runs.million_instructions(core, layer, "float")
        theirs = lce.indirect_instructions(layer)
        factor = theirs / million
        name = runs.selected(layer, core)
        yield (
            *(str(layer), f"{layer.elements:,}", name, f"{million:.2f}", f"{theirs:.2f}", f"{factor:.1f}x"),
            verdict(factor, GROUPED_TARGET),
        )


TABLES = (
    Table(
        "Which kernel selection takes",
        "By the type of core (implementer and part of MIDR_EL1), given to the selection that the delegate uses. Where "
        "a process may run on cores of different kinds it takes what none of them runs badly; held to one kind "
        "it takes theirs.",
        ("core", "type", *map(str, layers.ALL)),
        selection,
    ),
    Table(
        "Instructions of one convolution on Cortex-A72, against LCE's default kernel",
        "Counted under `qemu-aarch64 -cpu cortex-a72`; of LCE's with the same output.",
        ("3x3 convolution", "output", "kernel", "million", "of LCE's", "target", "of float output's"),
        instructions,
    ),
    Table(
        f"Whole convolutions, bMAC/cycle ({MODELLED})",
        "Executions of each block under qemu x llvm-mca's cycles of it. LCE's figures, with float output, are of the "
        "same model.",
        ("core", "kernel", "output", "3x3 convolution", "bMAC/cycle", "over LCE", "target"),
        whole,
    ),
    Table(
        f"Innermost loops, bMAC/cycle ({MODELLED})",
        "Of the 14x14x256 convolution. EOR, CNT and an addition are three vector instructions for 128 products: "
        "42.7 bMAC/cycle where one issues a cycle. In-order cores by the rules of `tests/claims_arm/inorder.py`.",
        ("core", "kernel", "model", "instructions", "bMAC/cycle", "of 42.7", "target", "128-bit loads"),
        inner_loops,
    ),
    Table(
        "Grouped convolutions on maps of 65,535 elements or more, million instructions",
        "LCE runs groups in its indirect mode only, and there such maps by a portable kernel. Its instructions are "
        "derived: a cost per product and one per output (`tests/claims_arm/lce.py`), from two layers counted without "
        "groups; a third layer is hit to 0.2 %, and what groups cost LCE besides is left out.",
        ("3x3 convolution/groups", "elements", "kernel", "tfkit", "LCE indirect (derived)", "LCE over tfkit", "target"),
        grouped,
    ),
    Table(
        "Few bits: which kernel selection takes",
        f"Of a 3x3 convolution of {few_bits.LAYER}, by bits of weights (W) and of activations (A). `neon` and "
        "`neon_inorder` count bits, `neon_lut` looks up sums of 5 activations by weight bits, `neondotprod` (UDOT) and "
        "`neon_mlal` (UMLAL) multiply bytes. Emulated with the features that the core has.",
        ("core", *map(str, few_bits.WIDTHS)),
        few_bits.selection,
    ),
    Table(
        f"Few bits: innermost loops, MAC/cycle ({MODELLED})",
        f"Of {few_bits.LAYER}. The limit is that of counting bits: EOR or AND, CNT and an addition for each pair of "
        "planes, with all vector pipelines.",
        ("core", "widths", "kernel", "instructions", "MAC/cycle", "bit-serial limit", "target"),
        few_bits.inner_loops,
    ),
    Table(
        f"Few bits: whole convolutions, MAC/cycle ({MODELLED})",
        "The kernel that is selected; then, for one layer, what the others would do and what share of the best the "
        "selected one reaches.",
        (
            *("core", "widths", "kernel", *map(str, layers.QUICKNET), "geometric mean"),
            *(f"others at {few_bits.LAYER}", "of the best"),
        ),
        few_bits.whole,
    ),
    Table(
        "Few bits: instructions of one convolution by widths, million",
        f"Of {few_bits.LAYER}: counting bits costs what W x A says, tables cost W and little of A, bytes neither. "
        "`neon` and `neon_mlal` counted on a Cortex-A72, the others on a Neoverse N1.",
        ("widths", "W x A", "neon", "neon_lut", "neondotprod", "neon_mlal", "target"),
        few_bits.instructions,
    ),
    Table(
        f"Sparse MobileNetV1 1.0, 224x224: XNNPACK's over tfkit's instructions, and cycles ({MODELLED})",
        "The 1x1 layers have this share of zeros, strewn at random or in blocks of 1 input x 4 outputs; counted are "
        "whole invocations of LiteRT with one thread, without the delegate and with it. The target is for the smaller "
        "of the two ratios.",
        (
            "zeros",
            "where",
            "core",
            "layers taken",
            "XNNPACK, million",
            "tfkit, million",
            "instructions",
            "cycles",
            "target",
        ),
        sparse.whole,
    ),
    Table(
        f"Sparse layers: XNNPACK's over tfkit's instructions / cycles ({MODELLED})",
        "The kernel alone against LiteRT with one dense layer; by share of zeros, strewn or in blocks of 1 input x 4 "
        "outputs. What stands in brackets is not taken but left to XNNPACK; the target is for the least of the rest.",
        ("core", "layer", "zeros", *(f"{zeros} %" for zeros in sparse.ZEROS), "target"),
        sparse.alone,
    ),
)
