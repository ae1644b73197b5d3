from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tfkit._errors import InputError, UsageError
from tfkit.cli import cli
from tfkit.metadata import metadata_of
from tfkit.saving import load


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["build", *arguments])


def test_writes_a_model(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    done = run(
        "small_cnn", "-o", str(path), "--scheme", "binary", "--input", "32x32x3", "--classes", "5", "--width", "2"
    )
    assert done.exit_code == 0, done.output
    assert f"{path}: small_cnn, " in done.stdout
    assert " binary" in done.stdout
    model = load(path)
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 5)
    assert metadata_of(model).scheme == "binary"
    assert metadata_of(model).extra["width"] == 2


def test_one_seed_one_model(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.keras" for name in "abc"]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        assert run("small_cnn", "-o", str(path), "--seed", str(seed)).exit_code == 0
    first, second, third = (load(path).get_weights()[0] for path in paths)
    np.testing.assert_array_equal(first, second)
    assert np.any(first != third)


def test_builds_members_of_families(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    done = run("wrn_10_1", "-o", str(path), "--input", "16x16x3", "--classes", "5")
    assert done.exit_code == 0, done.output
    assert metadata_of(load(path)).name == "wrn_10_1"
    error = run("wrn_11_1", "-o", str(tmp_path / "n.keras")).exception
    assert isinstance(error, UsageError)
    assert "next to it are wrn_10_1 and wrn_16_1" in str(error)


@pytest.mark.parametrize("text", ["224", "224x224", "axbxc", "0x8x8", "8x8x8x8"])
def test_bad_input_sizes(text: str, tmp_path: Path) -> None:
    done = run("small_cnn", "-o", str(tmp_path / "m.keras"), "--input", text)
    assert done.exit_code == 2
    assert repr(text) in done.stderr


def test_errors_come_before_the_work(tmp_path: Path) -> None:
    assert isinstance(run("small_cnn", "-o", str(tmp_path / "no" / "m.keras")).exception, InputError)
    assert isinstance(run("nope", "-o", str(tmp_path / "m.keras")).exception, UsageError)
    assert isinstance(run("small_cnn", "-o", str(tmp_path / "m.h5")).exception, UsageError)
    assert list(tmp_path.iterdir()) == []
