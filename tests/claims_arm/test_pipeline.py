"""Counting, joining blocks, modelling and the tables, on layers so small that the gate runs all of it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from helpers.native_build import arm64_build
from tests.claims.table import table
from tests.claims_arm import (
    blocks,
    cores,
    few_bits,
    graphs,
    inorder,
    layers,
    lce,
    loops,
    mca,
    sparse,
    sparse_cost,
    tables,
)
from tests.claims_arm.few_bits import Widths
from tests.claims_arm.layers import Layer, Pointwise
from tests.claims_arm.runs import Runs
from tests.claims_arm.verdicts import verdict

pytestmark = pytest.mark.qemu
TINY = Layer(8, 128)
SPARSE = Pointwise(6, 64, 32)


def mostly_zeros(zeros: float, *, blocks: bool) -> bytes:
    weights = np.random.default_rng(0).uniform(0.5, 1, (SPARSE.channels, SPARSE.inputs))
    group = sparse_cost.GROUP if blocks else 1
    kept = np.random.default_rng(1).random((SPARSE.channels // group, SPARSE.inputs)) >= zeros
    return graphs.pointwise(weights * np.repeat(kept, group, 0), SPARSE.size)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return Runs(arm64_build() / "bench" / "tfkit_kernel_runs")


def executed(counts: blocks.Counts, pattern: str) -> int:
    """How many instructions were executed that match."""
    return sum(
        count * sum(re.match(pattern, line) is not None for line in mca.assembly(words))
        for words, count in counts.items()
    )


def test_every_product_is_counted_once(runs: Runs) -> None:
    """A CNT of 16 bytes is 128 products; tiles that are not full may add some."""
    counts = runs.counts(cores.A72, TINY, "float")
    products = 128 * executed(counts, r"cnt\s+v\d+\.16b")
    assert TINY.products <= products < 1.3 * TINY.products


def test_counts_are_of_one_run(runs: Runs) -> None:
    """Whole runs, without what starting the program takes, and the same each time."""
    first = runs.million_instructions(cores.A72, TINY, "float", "neon_xnor")
    again = Runs(arm64_build() / "bench" / "tfkit_kernel_runs").million_instructions(
        cores.A72, TINY, "float", "neon_xnor"
    )
    assert first == pytest.approx(again, rel=1e-3)
    assert 1e6 * first < TINY.products / 16


def test_whole_convolutions_stay_below_the_limits(runs: Runs) -> None:
    """Two vector instructions a cycle, three for 128 products: 85.3 where popcounts do the work."""
    for core in (cores.A72, cores.N1):
        counts = runs.counts(core, TINY, "float", "neon_xnor")
        rate = TINY.products / mca.total_cycles(core.model, counts)
        assert 20 < rate < 2 * inorder.XNOR_LIMIT, core


def test_loops_are_found(runs: Runs) -> None:
    words = loops.hottest(runs.counts(cores.A72, TINY, "float", "neon_xnor"))
    assert loops.products(mca.assembly(words)) >= 1024
    assert loops.rate("cortex-a72", words) < 2 * inorder.XNOR_LIMIT
    assert loops.rate("cortex-a55", words) < inorder.XNOR_LIMIT


def test_tables_are_whole(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table from tiny layers under the names of the real ones, which the constants are for."""

    class Named(Layer):
        def __str__(self) -> str:
            return "56x56x64"

    quicknet = (Named(4, 64), Named(4, 128), Named(3, 256), Named(2, 512))
    monkeypatch.setattr(layers, "QUICKNET", quicknet)
    monkeypatch.setattr(layers, "ALL", (Named(4, 32), *quicknet))
    monkeypatch.setattr(layers, "GROUPED", (Layer(46, 32, 1),))
    monkeypatch.setattr(layers, "MOBILENET", (SPARSE, Pointwise(1, 40, 12)))
    monkeypatch.setattr(sparse, "CORES", (cores.A72,))
    monkeypatch.setattr(sparse, "ZEROS", (90,))
    monkeypatch.setattr(sparse, "network", mostly_zeros)
    monkeypatch.setattr(few_bits, "LAYER", quicknet[1])
    monkeypatch.setattr(few_bits, "WIDTHS", (Widths(1, 2), Widths(3, 3)))
    monkeypatch.setattr(few_bits, "GRID", tuple(Widths(1, bits) for bits in (1, 2, 3, 4)))
    for entry in tables.TABLES:
        rows = list(entry.rows(runs))
        assert rows
        # Two tables have a column for each of what is fewer here.
        fewer = {few_bits.selection: 1 + len(few_bits.WIDTHS), sparse.alone: 4 + len(sparse.ZEROS)}
        columns = fewer.get(entry.rows, len(entry.headings))
        assert all(len(row) == columns for row in rows), entry.title
        modelled = {"bMAC/cycle", "MAC/cycle", "geometric mean", "cycles", "90 %"} & {*entry.headings}
        assert ("modelled, caches ignored" in entry.title) == bool(modelled)
        assert table(entry.headings, rows).count("\n") == len(rows) + 1


def test_selection_knows_the_cores(runs: Runs) -> None:
    """The kernel of the table is that of the core type given, whatever the emulated core is."""
    assert runs.selected(TINY, cores.A72) == runs.selected(TINY, cores.X1) == "neon_xnor"
    assert runs.selected(TINY, cores.N1) == runs.selected(TINY, cores.V2) == "neon_lut"
    assert runs.selected(TINY, cores.A53) == runs.selected(TINY, cores.A55) == "neon_inorder"
    assert runs.selected(TINY, *cores.MIXED) == "neon_xnor"


# Kernel, widths, and what of the loop's instructions stands for how many products.
FEW_BITS = [
    ("neon", Widths(2, 3), r"cnt\s+v\d+\.16b", 128 / 6),
    ("neon_inorder", Widths(1, 2), r"cnt\s+v\d+\.16b", 128 / 2),
    ("neon_lut", Widths(2, 1), r"tbl\s+v\d+\.16b, \{ v\d+\.16b, v\d+\.16b \}", 160 / 2),
    ("neon_lut", Widths(1, 2), r"tbl\s+v\d+\.16b, \{ v\d+\.16b, v\d+\.16b \}", 160),
    ("neon_lut", Widths(3, 4), r"tbl\s+v\d+\.16b, \{ v\d+\.16b, v\d+\.16b \}", 80 / 3),
    ("neondotprod", Widths(3, 3), r"udot\s+v\d+\.4s", 16),
    ("neon_mlal", Widths(4, 4), r"umlal2?\s+v\d+\.8h", 8),
]


@pytest.mark.parametrize(("kernel", "widths", "pattern", "each"), FEW_BITS)
def test_every_few_bit_product_is_counted_once(
    runs: Runs, kernel: str, widths: Widths, pattern: str, each: float
) -> None:
    """By the kernel that was asked for; tables, tiles and steps that are not full may add some."""
    counts = runs.counts(cores.N1, TINY, widths.argument, kernel)
    done = each * executed(counts, pattern)
    assert TINY.products <= done < 1.3 * TINY.products
    words = loops.hottest(counts)
    lines = mca.assembly(words)
    in_loop = sum(re.match(pattern, line) is not None for line in lines)
    assert few_bits.products(lines, widths) == pytest.approx(each * in_loop)
    assert in_loop > 0


def test_bit_serial_cost_is_linear_and_tables_cost_the_same(runs: Runs) -> None:
    """In W x A; and in A, from 3 bits on."""
    points = {
        widths: runs.million_instructions(cores.A72, TINY, widths.argument, "neon")
        for widths in map(Widths, (1, 1, 2, 3, 2), (1, 4, 2, 4, 1))
    }
    _, _, squared = few_bits.fit([(widths.product, million) for widths, million in points.items()])
    assert squared > few_bits.FIT_TARGET
    three, four = (runs.million_instructions(cores.N1, TINY, f"w1a{bits}", "neon_lut") for bits in (3, 4))
    assert four < 1.1 * three


def test_few_bit_selection_knows_the_cores(runs: Runs) -> None:
    """Each kernel where the notes of the tables say so."""
    chosen = {
        core.name: [few_bits.selected(runs, widths, TINY, core) for widths in (Widths(1, 2), Widths(3, 3))]
        for core in (cores.A53, cores.A55, cores.A72, cores.N1)
    }
    assert chosen == {
        "Cortex-A53": ["neon_inorder", "neon_mlal"],
        "Cortex-A55": ["neon_inorder", "neondotprod"],
        "Cortex-A72": ["neon", "neon"],
        "Neoverse N1": ["neon_lut", "neondotprod"],
    }


@pytest.mark.parametrize(("pattern", "group"), [("s", 1), ("b", sparse_cost.GROUP)])
def test_every_sparse_product_is_counted_once(runs: Runs, pattern: str, group: int) -> None:
    """FMLA multiplies 4 pixels: those of 36 make 9 vectors, and no zero is multiplied."""
    counts = runs.counts(cores.A72, SPARSE, f"{pattern}70", "neon")
    kept = sparse_cost.nonzeros(SPARSE, 70, group)
    assert 0.2 < kept / SPARSE.weights < 0.4
    assert executed(counts, r"fmla\s+v\d+\.4s") == 9 * kept


def test_sparse_layers_are_taken_where_they_pay(runs: Runs) -> None:
    layer = layers.MOBILENET[4]
    taken = {pattern: runs.selected(layer, cores.A72, output=pattern) for pattern in ("s50", "s90", "b90")}
    assert taken == {"s50": "", "s90": "neon", "b90": "neon"}


def test_costs_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts that follow the formula give its numbers back, in dense multiply-adds of the cheapest layer."""

    class Invented:
        @staticmethod
        def counts(_core: object, layer: Pointwise, output: str, _kernel: str) -> float:
            group, each = (1, 3.0) if output[0] == "s" else (sparse_cost.GROUP, 2.0)
            pixels = -(-layer.size * layer.size // 4) * 4
            kept = sparse_cost.nonzeros(layer, int(output[1:]), group)
            return pixels * (each * kept + 7.0 * (layer.inputs + layer.channels))

    def dense(_core: object, layer: Pointwise) -> float:
        return layer.products * (0.5 if layer is SPARSE else 0.6)

    monkeypatch.setattr(sparse, "dense", dense)
    images = (SPARSE, Pointwise(8, 32, 48), Pointwise(5, 96, 64))
    cost = sparse_cost.fit(Invented(), cores.A72, float, images, Pointwise(1, 64, 64))
    assert (cost.single, cost.in_block, cost.moved) == pytest.approx((6.0, 4.0, 14.0))
    assert cost.worst == pytest.approx(0, abs=1e-9)


def test_large_maps_only() -> None:
    """LCE's portable kernel is not what runs smaller ones."""
    assert lce.indirect_instructions(Layer(56, 32)) == pytest.approx(lce.INDIRECT["56x56x32"], rel=0.01)
    with pytest.raises(ValueError, match="runs on 65535 or more"):
        lce.indirect_instructions(Layer(14, 256))


def test_verdicts() -> None:
    assert verdict(0.93, 0.92, at_most=True) == "<= 0.92: missed by 1.1 %"
    assert verdict(85.0, 85) == ">= 85: met"
