"""Counting, joining blocks, modelling and the tables, on layers so small that the gate runs all of it."""

from __future__ import annotations

import re

import pytest

from helpers.native_build import arm64_build
from tests.claims.table import table
from tests.claims_arm import blocks, cores, inorder, layers, lce, loops, mca, tables
from tests.claims_arm.layers import Layer
from tests.claims_arm.runs import Runs

pytestmark = pytest.mark.qemu
TINY = Layer(8, 128)


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
    for entry in tables.TABLES:
        rows = list(entry.rows(runs))
        assert rows
        assert all(len(row) == len(entry.headings) for row in rows), entry.title
        assert ("modelled, caches ignored" in entry.title) == ("bMAC/cycle" in entry.headings)
        assert table(entry.headings, rows).count("\n") == len(rows) + 1


def test_selection_knows_the_cores(runs: Runs) -> None:
    """The kernel of the table is that of the core type given, whatever the emulated core is."""
    assert runs.selected(TINY, cores.A72) == runs.selected(TINY, cores.X1) == "neon_xnor"
    assert runs.selected(TINY, cores.N1) == runs.selected(TINY, cores.V2) == "neon_lut"
    assert runs.selected(TINY, cores.A53) == runs.selected(TINY, cores.A55) == "neon_inorder"
    assert runs.selected(TINY, *cores.MIXED) == "neon_xnor"


def test_large_maps_only() -> None:
    """LCE's portable kernel is not what runs smaller ones."""
    assert lce.indirect_instructions(Layer(56, 32)) == pytest.approx(lce.INDIRECT["56x56x32"], rel=0.01)
    with pytest.raises(ValueError, match="runs on 65535 or more"):
        lce.indirect_instructions(Layer(14, 256))


def test_verdicts() -> None:
    assert tables.verdict(0.93, 0.92, at_most=True) == "<= 0.92: missed by 1.1 %"
    assert tables.verdict(85.0, 85) == ">= 85: met"
