"""tfkit_bench --mode profile: the plan, the events and whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.flatbuffers import golden
from helpers.lce_graph import Convolution, LceGraph
from helpers.runner import delegate, tfkit_bench

BRIEF = ("--mode=profile", "--runs=50", "--warmup-runs=2", "--warmup-seconds=0")


def profiled(name: str, *flags: str) -> dict[str, Any]:
    answer = tfkit_bench("--model", golden(name), *BRIEF, *flags)
    assert answer.exit_code == 0, answer.stderr
    assert answer.document is not None
    return answer.document


def test_the_plan_shows_every_partition() -> None:
    """Float ops by XNNPACK, binary ones by the delegate, each of the flatbuffer's nodes exactly once."""
    profile = profiled("lce_int8", "--delegate", delegate())["profile"]
    assert [entry["delegate"] for entry in profile["plan"]] == ["TfkitDelegate"]
    assert profile["plan"][0]["replaces"] == [0, 1, 2]
    profile = profiled("lce_float32", "--delegate", delegate())["profile"]
    replaced = [node for entry in profile["plan"] for node in entry["replaces"] or [entry["node"]]]
    assert sorted(replaced) == list(range(10))
    assert {entry["delegate"] for entry in profile["plan"]} == {"TfkitDelegate", "TfLiteXNNPackDelegate"}


def test_the_delegate_comes_before_xnnpack(tmp_path: Path) -> None:
    """It runs the sum behind a binary convolution, which XNNPACK would take; XNNPACK runs the one after that."""
    graph = LceGraph()
    shape = (1, 6, 6, 32)
    image, total, double = (graph.tensor("float32", shape) for _ in range(3))
    signs = graph.tensor("int32", (1, 6, 6, 1))
    graph.custom("LceQuantize", [image], [signs])
    graph.add(image, Convolution(6, 6, 32, 32).append_to(graph, signs), total)
    graph.add(total, total, double)
    model = tmp_path / "residual.tflite"
    model.write_bytes(graph.serialize([image], [double]))
    answer = tfkit_bench("--model", model, "--delegate", delegate(), *BRIEF)
    assert answer.document is not None, answer.stderr
    plan = [(entry["delegate"], entry["replaces"]) for entry in answer.document["profile"]["plan"]]
    assert plan == [("TfkitDelegate", [0, 1, 2]), ("TfLiteXNNPackDelegate", [3])]
    assert [node["op"] for node in answer.document["delegate"]["nodes"]] == ["LceQuantize", "LceBconv2d", "ADD"]


def test_events_stand_in_their_partitions() -> None:
    document = profiled("lce_float32", "--delegate", delegate())
    profile = document["profile"]
    assert profile["runs"] + profile["uneven_runs"] == 50
    assert len(profile["wall_ns"]) == profile["runs"]
    assert all(len(event["us"]) == profile["runs"] for event in profile["events"])
    order = [entry["node"] for entry in profile["plan"]]
    owners = [event["node"] for event in profile["events"] if event["kind"] in ("node", "inner")]
    assert owners == sorted(owners, key=order.index)
    partitions = {entry["node"]: entry for entry in profile["plan"]}
    for event in profile["events"]:
        if event["kind"] == "inner":
            assert partitions[event["node"]]["delegate"] == "TfLiteXNNPackDelegate"
        if event["kind"] == "node":
            assert event["tag"] == "TfkitDelegate"
    first = [event["tag"] for event in profile["events"] if event["node"] == order[0]]
    assert [tag.split()[0] for tag in first] == ["Convolution"]
    inside = sum(sum(event["us"]) for event in profile["events"] if event["kind"] in ("node", "inner"))
    assert inside * 1000 <= sum(profile["wall_ns"])


def test_the_delegate_times_its_nodes_in_this_mode_only() -> None:
    document = profiled("lce_int8", "--delegate", delegate())
    before = {node["node"]: node for node in document["profile"]["delegate_before"]["nodes"]}
    for node in document["delegate"]["nodes"]:
        assert node["invocations"] - before[node["node"]]["invocations"] == 50
        assert node["nanoseconds"] > before[node["node"]]["nanoseconds"] > 0
    answer = tfkit_bench("--model", golden("lce_int8"), "--delegate", delegate(), "--runs=5", "--warmup-seconds=0")
    assert answer.document is not None
    assert {node["nanoseconds"] for node in answer.document["delegate"]["nodes"]} == {0}


def test_without_a_delegate() -> None:
    profile = profiled("float32")["profile"]
    assert profile["delegate_before"] is None
    assert [entry["delegate"] for entry in profile["plan"]] == ["TfLiteXNNPackDelegate"]
    assert {event["tag"] for event in profile["events"] if event["kind"] == "other"} >= {"Invoke"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--mode=profile", "--runs=49"],
            "--mode profile needs --runs of at least 50: its clock ticks in microseconds",
        ),
        (["--mode=profil"], "--mode is one of latency, memory, profile; got 'profil'"),
        (["--mode", ""], "--mode is one of"),
    ],
)
def test_usage(flags: list[str], message: str) -> None:
    answer = tfkit_bench("--model", golden("float32"), *flags)
    assert answer.exit_code == 2
    assert answer.document is not None
    assert message in answer.document["error"]
