"""The example that repeats figure 4 of the survey: its networks, its runs, and what its report makes of results."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from helpers.examples import EXAMPLES, example

FIGURES = ("macs", "params", "activations", "memory")


def run(series: str, share: float, errors: list[float], costs: tuple[float, ...]) -> list[dict[str, Any]]:
    key = {"series": series, "share": share, **dict(zip(FIGURES, costs, strict=True))}
    return [{**key, "seed": seed, "error": error} for seed, error in enumerate(errors)]


RUNS = [
    *run("wrn", 1.0, [2.0, 3.0], (1000, 100, 50, 150)),
    *run("WRN: Channel", 0.5, [2.5, 3.5], (500, 50, 25, 75)),
    *run("WRN: Channel", 0.25, [4.0, 5.0], (250, 25, 13, 38)),
    *run("WRN: Group", 0.5, [2.5, 3.5], (500, 50, 50, 100)),
    *run("WRN: Group", 0.25, [4.0, 5.0], (250, 25, 50, 75)),
    *run("WRN: Kernel", 0.5, [9.0, 9.5], (500, 50, 50, 100)),
]
SETTINGS = {"network": "wrn_16_1", "data": "digits", "epochs": 12, "group_size": 8}


def written(tmp_path: Path, times: list[dict[str, Any]] | None = None) -> tuple[str, list[Path]]:
    results = tmp_path / "r.json"
    results.write_text(json.dumps({"settings": SETTINGS, "runs": RUNS}))
    if times is not None:
        document = {"device": "linux-x86_64, a CPU", "preset": "quick", "runs": times}
        (tmp_path / "r.times.json").write_text(json.dumps(document))
    page, *plots = example("figure4", "report").write(results)
    return page.read_text(), plots


def test_the_report_judges_lines_by_what_they_cover(tmp_path: Path) -> None:
    text, (plot,) = written(tmp_path)
    assert "mean and range over 2 seeds. " in text
    assert "| WRN: Channel | 50% | 3.00 (2.50 to 3.50) | 500 (50%) | 50 (50%) | 25 (50%) | 75 (50%) |" in text
    # The kernel point is covered by the channels' first; the unpruned network is a point of both lines.
    assert "| Channel pruning is better than kernel pruning | MACs | **holds** | 2 of 2 | 1 of 3 |" in text
    assert "| Channel and group pruning do alike | MACs | **holds** | 3 of 3 | 3 of 3 |" in text
    # All group networks have all activations. With as many, the channels' unpruned network errs no more.
    assert "| Channel pruning is better than group pruning | activations | **holds** | 3 of 3 | 1 of 3 |" in text
    assert (
        "| Channel pruning is better than group pruning | parameters + activations | **holds** | 3 of 3 | 1 of 3 |"
        in text
    )
    assert "DenseNet" not in text, "there is no data on it"
    circles = [node for node in ElementTree.parse(plot).iter() if node.tag.endswith("circle")]
    assert len(circles) == 3 + 4 * (3 + 3 + 2), "the legend, and a point for each network in each of four plots"


def test_a_difference_within_the_seeds_decides_nothing() -> None:
    judge, points = example("figure4", "judge"), example("figure4", "points")

    def line(*pairs: tuple[float, float]) -> list[Any]:
        return [points.Point("s", 1.0, (error - 0.5, error + 0.5), {"c": cost}) for error, cost in pairs]

    close = judge.better(line((2, 100), (3, 50)), line((2.5, 100), (3.5, 50)), "c")
    assert (close.word, close.covers, close.covered) == (judge.WITHIN, (2, 2), (2, 2))
    assert judge.better(line((2, 100), (3, 50)), line((2, 100), (5, 50)), "c").word == judge.HOLDS
    assert judge.better(line((2, 100), (5, 50)), line((2, 100), (3, 50)), "c").word == judge.FAILS
    assert judge.better(line((2, 109)), line((2, 100)), "c").word == judge.WITHIN, "costs within 10 % are equal"
    assert judge.better(line((2, 111)), line((2, 100)), "c").word == judge.FAILS
    # Each is better somewhere: that is neither better nor alike.
    crossing = line((2, 100), (9, 50)), line((6, 100), (6, 50))
    assert judge.better(*crossing, "c").word == judge.CROSSING
    assert judge.alike(*crossing, "c").word == judge.CROSSING
    assert judge.alike(line((2, 100)), line((2, 100)), "c").word == judge.HOLDS
    assert judge.alike(line((2, 100)), line((5, 100)), "c").word == judge.FAILS
    alone = [points.Point("s", 1.0, (9.0,), {"c": 100})]
    assert judge.better(line((2, 100)), alone, "c").word == judge.ONE_SEED


def test_times_are_a_part_of_the_page(tmp_path: Path) -> None:
    def timed(series: str, share: float, precision: str, milliseconds: float, error: float) -> dict[str, Any]:
        key = {"series": series, "share": share, "seed": 0, "precision": precision}
        return {**key, "error": error, "milliseconds": milliseconds, "gate": "trusted"}

    times = [
        *(timed("wrn", 1.0, "float32", 0.2, 2.0), timed("wrn", 1.0, "int8", 0.1, 2.5)),
        *(timed("WRN: Channel", 0.5, "float32", 0.1, 2.5), timed("WRN: Channel", 0.25, "float32", 0.05, 2.0)),
        *(timed("WRN: Group", 0.5, "float32", 0.25, 2.5), timed("WRN: Channel", 0.5, "int8", 0.08, 2.5)),
    ]
    times += [{**one, "seed": 1} for one in times]
    times[-1]["gate"] = "suspect"
    text, plots = written(tmp_path, times)
    assert len(plots) == 2
    assert "with 2 seeds of each network in random order; 1 of 12 measurements are not trusted" in text
    assert "| WRN: Group | 50% | float32 | 2.50 (2.50 to 2.50) | 4,000 | 125% |" in text
    assert "| Channel pruning is better than group pruning | time, float32 | **holds** | 2 of 2 | 1 of 3 |" in text
    assert (
        "| Pruning channels is better than quantization (there to few bits, here int8) | time | **holds** "
        "| 1 of 1 | 1 of 3 |"
    ) in text


def test_the_networks_have_the_groups_and_the_size_asked_for() -> None:
    networks = example("figure4", "networks")
    assert [networks.groups_of(*sizes) for sizes in ((3, 160, 64), (160, 160, 64), (320, 640, 64), (640, 640, 64))] == [
        *(1, 2, 5, 10),
    ]
    assert networks.groups_of(48, 80, 8) == 4, "6 groups of 8 do not divide 80"
    from tfkit import data, models
    from tfkit.counting import count

    digits = data.load("digits")
    grouped = networks.build("grouped", "wrn_10_1", 8, digits, seed=1)
    groups = {layer.name: layer.groups for layer in grouped.layers if hasattr(layer, "groups") and "conv" in layer.name}
    assert groups["stage1_block1_conv1"] == 2
    assert groups["stage3_block1_conv2"] == 8
    assert grouped.get_layer("stage2_block1_shortcut").groups == 1
    wide, dense = (networks.build(name, "wrn_16_1", 8, digits, seed=1) for name in ("wrn", "dense"))
    params, macs = (math.log(getattr(count(dense), name) / getattr(count(wide), name)) for name in ("params", "macs"))
    assert params < 0 < macs
    assert abs(params + macs) < 0.5, "as far above as below, but for the rounding of the growth rate"
    ratios = [
        getattr(models.REGISTRY["wrn_28_10"], name) / getattr(models.REGISTRY["densenet_bc_28_128"], name)
        for name in ("params", "macs")
    ]
    assert networks.growth_like("wrn_28_10") == pytest.approx(128 * math.prod(ratios) ** 0.25, abs=4)


@pytest.mark.slow
def test_experiment_and_measurement_go_on_where_they_ended(tmp_path: Path) -> None:
    results = tmp_path / "f.json"
    script, seeds = str(EXAMPLES / "figure4" / "experiment.py"), ["--seeds", "1", "--epochs", "1", "--only"]
    command = [sys.executable, script, "--small", "--network", "wrn_10_1", "--output", str(results), *seeds]

    def ended(*arguments: str) -> str:
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = ended(*command, "WRN: Channel; WRN: Fixed groups, channel").splitlines()
    assert len(first) == 2 + 4 + 1, first
    found = json.loads(results.read_text())
    by_share = {
        one["share"]: one for one in found["runs"] if one["series"] in ("grouped", "WRN: Fixed groups, channel")
    }
    for share in (0.5, 0.25):
        assert by_share[share]["macs"] <= share * by_share[1.0]["macs"]
        assert by_share[share]["activations"] < by_share[1.0]["activations"]
        assert by_share[share]["memory"] == by_share[share]["params"] + by_share[share]["activations"]

    results.write_text(json.dumps({**found, "runs": [one for one in found["runs"] if one["share"] != 0.5]}))
    again = ended(*command, "WRN: Channel").splitlines()
    assert len(again) == 1 + 1
    resumed = json.loads(results.read_text())["runs"][-1]
    before = next(one for one in found["runs"] if (one["series"], one["share"]) == ("WRN: Channel", 0.5))
    assert {**resumed, "seconds": 0} == {**before, "seconds": 0}, "to the bit, from the stored model"

    ended(sys.executable, str(EXAMPLES / "figure4" / "measure.py"), str(results))
    times = json.loads((tmp_path / "f.times.json").read_text())
    assert len(times["runs"]) == 2 * len(json.loads(results.read_text())["runs"])
    assert all(one["milliseconds"] > 0 for one in times["runs"])
    ended(sys.executable, str(EXAMPLES / "figure4" / "report.py"), str(results))
    assert "## Throughput" in results.with_suffix(".md").read_text()
