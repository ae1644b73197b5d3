"""A real sweep over digits: every kind of step, interrupted and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tfkit import data, saving
from tfkit.metadata import metadata_of
from tfkit.runtime import Interpreter
from tfkit.tradeoffs import Point, read_points

pytestmark = pytest.mark.slow

SPEC = """[data]
name = "digits"
[[model]]
name = "small_cnn"
width = 0.5
[[compression]]
format = "float32"
[[compression]]
int8 = "ptq"
[[compression]]
scheme = "binary"
[[compression]]
prune = "psp"
int8 = "qat"
[training]
epochs = 2
tuning_epochs = 1
[[device]]
preset = "quick"
"""


def started(spec: Path, folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tfkit", "sweep", str(spec), "-o", str(folder), *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def figures(points: tuple[Point, ...]) -> list[Point]:
    """What does not vary from run to run: all but what was measured, and files with their times of day."""
    varying = {"latency_ms": None, "latency_interval": None, "trusted": None, "peak_memory_bytes": None}
    return [replace(point, artifacts={}, **varying) for point in points]


def test_interrupted_and_killed_sweeps_end_as_whole_ones(tmp_path: Path) -> None:
    spec = tmp_path / "s.toml"
    spec.write_text(SPEC)
    folder = tmp_path / "study"
    for end, seconds in ((signal.SIGINT, 25), (signal.SIGKILL, 25), (signal.SIGINT, 25)):
        process = started(spec, folder, "--jobs", "2")
        time.sleep(seconds)
        os.killpg(process.pid, end) if end == signal.SIGINT else process.send_signal(end)
        _, said = process.communicate(timeout=60)
        if end == signal.SIGINT and process.returncode:
            assert process.returncode == 130, said
            assert "holds what is done; the same command goes on from it" in said
    process = started(spec, folder, "--jobs", "2")
    _, said = process.communicate(timeout=900)
    assert process.returncode == 0, said
    whole = started(spec, tmp_path / "whole", "--jobs", "2")
    _, said = whole.communicate(timeout=900)
    assert whole.returncode == 0, said
    points = read_points(folder)
    assert figures(points) == figures(read_points(tmp_path / "whole"))
    assert {point.state for point in points} == {"done"}
    for point in points:
        check(point)


def check(point: Point) -> None:
    """The accuracy of a point, by a program of its own."""
    digits = data.load("digits")
    network = saving.load(point.artifacts["keras"])
    inputs = metadata_of(network).preprocessing.apply(digits.x_test)
    outputs = Interpreter(point.artifacts["tflite"]).predict(inputs)
    assert point.accuracy == pytest.approx(np.mean(outputs.argmax(axis=1) == digits.y_test), abs=1e-12)
    assert point.keras_accuracy == pytest.approx(np.mean(network.predict(inputs, verbose=0).argmax(1) == digits.y_test))
    assert point.size_bytes == point.artifacts["tflite"].stat().st_size
    measured = json.loads(point.artifacts["bench"].read_text())["results"][0]
    assert point.latency_ms == pytest.approx(measured["latency"]["median_s"] * 1e3)
    assert json.loads(point.artifacts["parity"].read_text())["ok"] is True
