"""The tables of binary kernels, from made-up times: lines as long as the headings, and honest about their targets."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from tests.claims import kernels, kernels_avx2, kernels_glue, memory_alone, target

TIMES = {"tfkit": 1e-4, "avx2_lut": 2e-4, "LCE default": 5e-3, "LCE indirect": 1.2e-3, "XNNPACK fp32": 2e-3}


def test_targets_name_what_is_missed_and_by_how_much() -> None:
    assert target.at_least([("LCE", 6.0, 6.0), ("XNNPACK", 3.0, 2.0)]) == "met"
    assert target.at_least([("LCE", 4.5, 6.0), ("XNNPACK", 3.0, 2.0), ("2 threads", 1.53, 1.7)]) == (
        "missed: LCE by 25%, 2 threads by 10%"
    )
    assert target.at_most(1.2, 1.2) == "met"
    assert target.at_most(1.5, 1.2) == "missed by 25%"
    assert target.at_most(1.2024, 1.2) == "missed by 0.2%"


@pytest.mark.parametrize(("int8", "judged"), [(4.5e-4, "met"), (3e-4, "missed: XNNPACK int8 by 25%")])
def test_convolutions(int8: float, judged: str) -> None:
    with patch.object(kernels, "measured", return_value=(TIMES | {"XNNPACK int8": int8}, "avx512vpopcntdq")):
        lines = list(kernels.rows())
        held_back = list(kernels_avx2.rows())
    assert {len(line) for line in lines} == {len(kernels.HEADINGS)}
    assert {len(line) for line in held_back} == {len(kernels_avx2.HEADINGS)}
    assert {line[-1] for line in lines} == {judged}
    assert lines[-2][0] == "minimum"
    assert lines[0][2:4] == ("100 us (avx512vpopcntdq)", "50.0x")


def test_casts_and_pools() -> None:
    def slopes(graphs: dict[str, object]) -> dict[str, float]:
        # A second LceQuantize adds 1 us to tfkit's chain of 3 us and 6 us to LCE's of 10 us.
        known = {"one tfkit": 3e-6, "two tfkit": 4e-6, "one LCE": 1e-5, "two LCE": 1.6e-5}
        return {name: known.get(name, 7e-6 if name.endswith("LCE") else 1e-6) for name in graphs}

    with (
        patch.object(kernels_glue, "slopes", slopes),
        patch.object(kernels_glue, "pair", lambda build, run: (None, None)),
    ):
        lines = list(kernels_glue.rows())
    assert {len(line) for line in lines} == {len(kernels_glue.HEADINGS)}
    by_name = {line[0]: line for line in lines}
    assert by_name["LceQuantize, float32"][2:] == ("1.0 us", "7.0x", "7.0x", "met")
    assert by_name["LceDequantize, float32"][2:] == ("2.0 us", "2.0x", "4.0x", "missed: LCE by 50%")
    assert by_name["LceBMaxPool2d, minimum"][-1] == "met"


def test_memory_alone_touches_memory() -> None:
    for pair in (memory_alone.read(1000), memory_alone.write(1000)):
        for call in pair:
            call()
    _, write = memory_alone.write(1000)
    assert bytes(write()).count(b"\x01") == 1000  # type: ignore[call-overload]
