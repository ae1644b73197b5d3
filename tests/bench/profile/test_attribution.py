"""From events to rows: the parts always add up to the measured total."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from helpers.flatbuffers import golden
from helpers.runner import delegate, tfkit_bench
from tfkit._errors import DataError
from tfkit.bench.profile import Profile, attribute

# Nodes of this flatbuffer: 0 CONV_2D, 1 LceQuantize, 2 LceBconv2d, 3 ADD, 4 LceQuantize, 5 LceBMaxPool2d,
# 6 and 7 LceBconv2d, 8 MEAN, 9 FULLY_CONNECTED.
MODEL = golden("lce_float32")
XNNPACK, TFKIT = "TfLiteXNNPackDelegate", "TfkitDelegate"


def node(index: int, nanoseconds: int, invocations: int) -> dict[str, Any]:
    return {"node": index, "op": "", "kernel": f"k{index}", "invocations": invocations, "nanoseconds": nanoseconds}


def document() -> dict[str, Any]:
    """Two runs: 100 us each, 90 of them in the interpreter, 71 of these in kernels."""
    ours = (1, 2, 4, 5, 6, 7)
    return {
        "schema_version": 2,
        "delegate": {"nodes": [node(i, 1_000_000 + 2 * 1000 * i, 12) for i in ours]},
        "profile": {
            "runs": 2,
            "uneven_runs": 0,
            "wall_ns": [100_000, 100_000],
            "delegate_before": {"nodes": [node(i, 1_000_000, 10) for i in ours]},
            "plan": [
                {"node": 10, "delegate": XNNPACK, "replaces": [0]},
                {"node": 13, "delegate": TFKIT, "replaces": [1, 2]},
                {"node": 3, "delegate": None, "replaces": []},
                {"node": 14, "delegate": TFKIT, "replaces": [4, 5, 6, 7]},
                {"node": 12, "delegate": XNNPACK, "replaces": [8, 9]},
            ],
            "events": [
                {"kind": "other", "tag": "LiteRT::Run[buffer registration]", "node": None, "us": [4, 6]},
                {"kind": "other", "tag": "Invoke", "node": None, "us": [89, 91]},
                {"kind": "inner", "tag": "Convolution (NHWC, F32) IGEMM", "node": 10, "us": [20, 22]},
                {"kind": "node", "tag": TFKIT, "node": 13, "us": [4, 4]},
                {"kind": "node", "tag": "ADD", "node": 3, "us": [9, 11]},
                {"kind": "node", "tag": TFKIT, "node": 14, "us": [22, 22]},
                {"kind": "inner", "tag": "Static Reshape (NC)", "node": 12, "us": [1, 1]},
                {"kind": "inner", "tag": "Fully Connected (NC, F32) GEMM", "node": 12, "us": [13, 13]},
            ],
        },
    }


def adds_up(profile: Profile) -> bool:
    parts = sum(row.seconds for row in profile.rows) + profile.dispatch_seconds + profile.runtime_seconds
    return parts == pytest.approx(profile.total_seconds, rel=1e-12)


def test_every_microsecond_has_a_place() -> None:
    profile = attribute(document(), MODEL.read_bytes())
    assert adds_up(profile)
    assert profile.total_seconds == pytest.approx(100e-6)
    assert profile.runtime_seconds == pytest.approx(10e-6)
    assert profile.dispatch_seconds == pytest.approx(19e-6)
    found = [
        (row.index, row.op, row.runs_in, row.partition, round(row.seconds * 1e6, 6), row.how) for row in profile.rows
    ]
    assert found == [
        (0, "CONV_2D", "XNNPACK", 10, 21.0, "measured"),
        (1, "LceQuantize", "tfkit", 13, 1.0, "measured"),
        (2, "LceBconv2d", "tfkit", 13, 2.0, "measured"),
        (None, "", "tfkit", 13, 1.0, "unattributed"),
        (3, "ADD", "interpreter", None, 10.0, "measured"),
        (4, "LceQuantize", "tfkit", 14, 4.0, "measured"),
        (5, "LceBMaxPool2d", "tfkit", 14, 5.0, "measured"),
        (6, "LceBconv2d", "tfkit", 14, 6.0, "measured"),
        (7, "LceBconv2d", "tfkit", 14, 7.0, "measured"),
        (8, "MEAN", "XNNPACK", 12, 0.0, "fused"),
        (9, "FULLY_CONNECTED", "XNNPACK", 12, 13.0, "measured"),
        (None, "", "XNNPACK", 12, 1.0, "unattributed"),
    ]
    assert profile.rows[9].into == 9
    assert profile.rows[6].kernel == "k5"
    convolution = profile.rows[2]
    assert convolution.macs == convolution.binary_macs > 0
    assert convolution.gops == pytest.approx(2 * convolution.macs / 2e-6 * 1e-9)
    assert sum(profile.layers().values()) == pytest.approx(71e-6)


def test_json_and_table_say_the_same() -> None:
    profile = attribute(document(), MODEL.read_bytes())
    encoded = json.loads(json.dumps(profile.to_json(), allow_nan=False))
    assert encoded["schema_version"] == 1
    assert [row["how"] for row in encoded["rows"]] == [row.how for row in profile.rows]
    assert sum(row["share"] for row in encoded["rows"]) == pytest.approx(71 / 90)
    table = profile.table().splitlines()
    assert len(table) == 2 + len(profile.rows) + 4 + 1
    assert re.search(r"MEAN +XNNPACK #12 +fused into op 9", profile.table())
    assert re.search(r"dispatch +19 us +21\.1%", profile.table())
    assert re.search(r"all of the interpreter +90 us +100\.0%\n.+ +10 us\ntotal +100 us\n", profile.table())
    assert "none of this is a latency" in table[-1]


def test_times_below_the_clocks_tick_give_no_speed() -> None:
    short = document()
    for event in short["profile"]["events"]:
        if event["node"] == 10:
            event["us"] = [0, 1]
    profile = attribute(short, MODEL.read_bytes())
    assert profile.rows[0].macs > 0
    assert profile.rows[0].gops is None
    assert re.search(r"Convolution \(NHWC, F32\) IGEMM +< 1 us", profile.table())
    assert adds_up(profile)


def test_a_partition_without_operators_is_shown_as_a_whole() -> None:
    silent = document()
    silent["profile"]["events"] = [e for e in silent["profile"]["events"] if e["node"] != 12]
    silent["profile"]["events"].append({"kind": "node", "tag": XNNPACK, "node": 12, "us": [30, 30]})
    profile = attribute(silent, MODEL.read_bytes())
    assert adds_up(profile)
    assert [(row.index, row.how, row.kernel) for row in profile.rows if row.partition == 12] == [
        (8, "unattributed", ""),
        (9, "unattributed", ""),
        (None, "unattributed", "the whole partition"),
    ]


def test_operators_that_belong_nowhere_are_kept() -> None:
    stray = document()
    stray["profile"]["events"].append({"kind": "inner", "tag": "Odd One", "node": None, "us": [3, 3]})
    stray["profile"]["events"].append({"kind": "nested", "tag": "WHILE body", "node": 2, "us": [3, 3]})
    stray["profile"]["uneven_runs"] = 4
    profile = attribute(stray, MODEL.read_bytes())
    assert adds_up(profile)
    assert profile.rows[-1].kernel == "Odd One"
    assert profile.notes == (
        "4 runs had other events than the first and are left out",
        "ops of further graphs (loops, conditions) are part of the op that calls them",
    )


def test_refusals() -> None:
    model = MODEL.read_bytes()
    with pytest.raises(DataError, match="holds no profile; run tfkit_bench with --mode profile"):
        attribute({"profile": None}, model)
    with pytest.raises(DataError, match="the flatbuffer has 3 ops; give the flatbuffer that was profiled"):
        attribute(document(), golden("lce_int8").read_bytes())
    empty = document()
    empty["profile"]["runs"] = 0
    with pytest.raises(DataError, match="nothing to average"):
        attribute(empty, model)


@pytest.mark.parametrize("part", ["wall_ns", "plan", "events", "runs"])
@pytest.mark.parametrize("value", [None, "text", [None], [{}]])
def test_damaged_documents(part: str, value: Any) -> None:
    damaged = copy.deepcopy(document())
    damaged["profile"][part] = value
    with pytest.raises(DataError, match=r"the profile in this document is damaged"):
        attribute(damaged, MODEL.read_bytes())


@pytest.mark.parametrize("name", ["float32", "int8", "lce_float32", "lce_int8"])
def test_real_profiles(name: str) -> None:
    """Every op of the flatbuffer has exactly one row, whoever ran it."""
    answer = tfkit_bench(
        *["--model", golden(name), "--delegate", delegate(), "--mode=profile", "--runs=60"],
        *["--warmup-runs=2", "--warmup-seconds=0"],
    )
    assert answer.document is not None, answer.stderr
    profile = attribute(answer.document, golden(name).read_bytes())
    assert adds_up(profile)
    ops = [row for row in profile.rows if row.index is not None]
    assert sorted(row.index for row in ops if row.index is not None) == list(range(len(ops)))
    assert profile.runs + profile.uneven_runs == 60
    assert all(row.kernel for row in ops if row.how == "measured")
    if name.startswith("lce"):
        binary = [row for row in ops if row.op == "LceBconv2d"]
        assert all(row.runs_in == "tfkit" and row.seconds > 0 and row.binary_macs > 0 for row in binary)
