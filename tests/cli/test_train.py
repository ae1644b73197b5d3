from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tfkit._errors import DataError, ModelError, UsageError
from tfkit.cli import cli
from tfkit.metadata import metadata_of
from tfkit.pruning import sparsity
from tfkit.quantization import is_quantize_aware
from tfkit.saving import load


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["train", *arguments, "--data", "digits"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("train") / "float.keras"
    done = run("small_cnn", "-o", str(path), "--epochs", "3", "--width", "0.5")
    assert done.exit_code == 0, done.output
    # Results on stdout, progress on stderr.
    assert done.stdout.startswith(f"{path}: accuracy 0.")
    assert done.stdout.endswith(" on 450 test samples of digits\n")
    assert [line.split(":")[0] for line in done.stderr.splitlines() if line.startswith("training")] == [
        "training 1/3",
        "training 2/3",
        "training 3/3",
    ]
    return path


def accuracy(done: Any) -> float:
    return float(done.stdout.split("accuracy ")[1].split()[0])


def test_fine_tunes_a_file_for_int8(trained: Path, tmp_path: Path) -> None:
    done = run(str(trained), "-o", str(tmp_path / "q.keras"), "--quantize-aware", "--epochs", "1")
    assert done.exit_code == 0, done.output
    assert "int8 fine-tuning 1/1" in done.stderr
    assert accuracy(done) > 0.9
    model = load(tmp_path / "q.keras")
    assert is_quantize_aware(model)
    assert metadata_of(model).scheme == "int8"


def test_prunes_a_file(trained: Path, tmp_path: Path) -> None:
    done = run(str(trained), "-o", str(tmp_path / "p.keras"), "--prune", "0.6", "--epochs", "2")
    assert done.exit_code == 0, done.output
    assert min(sparsity(load(tmp_path / "p.keras")).values()) > 0.58


def test_usage(trained: Path, tmp_path: Path) -> None:
    output = ("-o", str(tmp_path / "m.keras"))
    cases = [
        (("small_cnn", *output, "--quantize-aware", "--prune", "0.5"), UsageError, "choose one"),
        ((str(trained), *output, "--width", "2"), UsageError, "is built already"),
        (("nope", *output), UsageError, "unknown model 'nope'"),
        ((str(tmp_path / "nope.keras"), *output), ModelError, "no model"),
        (("small_cnn", *output, "--classes", "5"), DataError, "build it with --classes 10"),
        (("small_cnn", *output, "--scheme", "int8", "--quantize-aware"), UsageError, "quantization-aware already"),
        (("small_cnn", *output, "--scheme", "int8", "--prune", "0.5"), UsageError, "quantization-aware already"),
        (("small_cnn", *output, "--input", "16x16x1"), DataError, "build it with --input 8x8x1"),
    ]
    for arguments, kind, message in cases:
        done = run(*arguments)
        assert isinstance(done.exception, kind), done.output
        assert message in str(done.exception)
    done = CliRunner().invoke(cli, ["train", "small_cnn", *output, "--data", "digit"])
    assert isinstance(done.exception, UsageError)
    assert not (tmp_path / "m.keras").exists()


def test_help_teaches() -> None:
    text = CliRunner().invoke(cli, ["train", "--help"]).stdout
    assert "tfkit train float.keras --data digits -o int8.keras --quantize-aware" in text
