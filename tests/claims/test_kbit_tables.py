"""The tables of few-bit kernels, from made-up times: lines as long as the headings, and honest about their targets."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from tests.claims import kernels_kbit, kernels_kbit_roads

CHOSEN = "avx512bw_lut"


@pytest.fixture
def _no_runs(request: pytest.FixtureRequest) -> Iterator[None]:
    """XNNPACK takes 10 us; a convolution 4 us by lookup, else 5 us or what the test says, each behind 1 us."""
    other = getattr(request, "param", 5e-6)

    def slopes(graphs: dict[str, object], *, count: int) -> dict[str, float]:
        def seconds(name: str) -> float:
            if name == "int8":
                return 1e-5
            return 1e-6 if name.startswith("quantize") else 5e-6 if name.endswith(CHOSEN) else other + 1e-6

        return {name: seconds(name) for name in graphs}

    def tfkit(graph: bytes, **options: Any) -> tuple[None, dict[str, str]]:
        return None, {"TfkitKBitConv2D": CHOSEN}

    with (
        patch.object(kernels_kbit, "slopes", slopes),
        patch.object(kernels_kbit, "pair", lambda build, run: (None, None)),
        patch.object(kernels_kbit.peers, "tfkit", tfkit),
        patch.object(kernels_kbit, "_chain", lambda *arguments: b""),
        patch.object(kernels_kbit, "measured", functools.cache(kernels_kbit.measured.__wrapped__)) as measured,
        patch.object(kernels_kbit_roads, "measured", measured),
    ):
        yield


@pytest.mark.usefixtures("_no_runs")
def test_targets_of_each_layer() -> None:
    lines = list(kernels_kbit.rows())
    assert {len(line) for line in lines} == {len(kernels_kbit.HEADINGS)}
    assert lines[0][1] == f"2.50x {CHOSEN}"
    assert {line[-1] for line in lines} == {"met"}
    assert [line[0] for line in lines[-2:]] == ["minimum", "geometric mean"]


@pytest.mark.parametrize(("_no_runs", "verdict"), [(5e-6, "met"), (2e-6, "missed")], indirect=["_no_runs"])
@pytest.mark.usefixtures("_no_runs")
def test_the_chosen_against_the_best(verdict: str) -> None:
    lines = list(kernels_kbit_roads.rows())
    assert {len(line) for line in lines} == {len(kernels_kbit_roads.HEADINGS)}
    assert [line[0] for line in lines][:5] == ["W1A1", "W1A2", "W1A3", "W1A4", "W2A1"]
    assert lines[0][1] == f"2.50x {CHOSEN}, {'1.00' if verdict == 'met' else '0.50'} of best"
    assert all(line[-1].startswith(verdict) for line in lines)
