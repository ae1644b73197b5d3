"""The example that repeats figure 3 of the survey: one run of it, and what its report makes of results."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from helpers.examples import EXAMPLES, example


def run(method: str, mode: str, bits: int, errors: list[float]) -> list[dict[str, Any]]:
    return [{"method": method, "mode": mode, "bits": bits, "seed": n, "error": e} for n, e in enumerate(errors)]


def test_a_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    settings = {"network": "densenet_bc_10_12", "data": "digits", "epochs": 1, "augment": False, "most_bits": 4}
    known = [{"method": "BNN", "mode": "both", "bits": 1, "kernel": "bnn", "inputs": "bnn", "seed": 0, "error": 7.0}]
    results = tmp_path / "figure3.json"
    results.write_text(json.dumps({"settings": settings, "runs": known}))
    script = EXAMPLES / "figure3" / "experiment.py"
    command = [sys.executable, script, "--small", "--seeds", "2", "--epochs", "1", "--only", "BNN"]
    done = subprocess.run([*command, "--output", results], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("BNN both 1 bits, seed 1: ")
    found = json.loads(results.read_text())
    assert [one["seed"] for one in found["runs"]] == [0, 1]
    assert found["runs"][0]["error"] == 7.0
    with pytest.raises(SystemExit, match=r"is of another experiment, .*'epochs': 1"):
        example("figure3", "experiment").run(results, {**settings, "epochs": 2}, 1, set())


def test_the_report_judges_means_by_their_spread(tmp_path: Path) -> None:
    runs = [
        *run("float", "", 32, [5.0, 5.0]),
        *run("DoReFa", "weights", 1, [9.0, 9.0]),
        *run("DoReFa", "weights", 2, [6.0, 7.0]),
        *run("DoReFa", "weights", 3, [6.5, 7.0]),
        *run("DoReFa", "activations", 2, [30.0, 32.0]),
        *run("DoReFa", "activations", 3, [40.0, 42.0]),
        *run("LQ-Net", "activations", 2, [29.0, 31.0]),
    ]
    settings = {"network": "n", "data": "d", "epochs": 3, "augment": False, "most_bits": 4}
    results = tmp_path / "r.json"
    results.write_text(json.dumps({"settings": settings, "runs": runs}))
    page, plot = example("figure3", "report").write(results)
    text = page.read_text()
    assert "Float: 5.00 (5.00 to 5.00)" in text
    assert "| DoReFa | 2 | 31.00 (30.00 to 32.00) | 6.50 (6.00 to 7.00) |  |" in text
    judged = "holds for {} pairs, {} of them by more than the seeds differ"
    assert (
        f"The error falls with the bits: {judged.format('1 of 3', 1)}; for 1 the means say otherwise by less; "
        "not so: DoReFa 3 activations is 10.00 points above DoReFa 2 activations."
    ) in text
    assert f"Quantized activations cost more than quantized weights: {judged.format('2 of 2', 2)}." in text
    assert f"LQ-Net is at least as good as DoReFa: {judged.format('1 of 1', 0)}." in text
    circles = [node for node in ElementTree.parse(plot).iter() if node.tag.endswith("circle")]
    assert len(circles) == 6 + 3, "a point for each mean, and the legend"
