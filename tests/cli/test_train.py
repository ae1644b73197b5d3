from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tfkit._errors import DataError, InputError, ModelError, UsageError
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


def test_the_learning_rate_is_that_of_fine_tuning_too(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    arguments = ["small_cnn", "--width", "0.25", "--epochs", "1", "--quantize-aware", "--tuning-epochs", "1"]
    rates = ["--learning-rate", "0.004", "--batch-size", "256", "--log-dir", str(logs), "--schedule", "constant"]
    assert run(*arguments, *rates, "-o", str(tmp_path / "q.keras")).exit_code == 0
    tables = {name: (logs / f"{name}.csv").read_text().splitlines() for name in ("training", "int8")}
    column = tables["training"][0].split(",").index("learning_rate")
    assert float(tables["training"][1].split(",")[column]) == pytest.approx(0.004)
    # Fine-tuning follows half a cosine: in the last of its 6 steps (1 + cos(5π/6)) / 2 is left.
    assert float(tables["int8"][1].split(",")[column]) == pytest.approx(0.004 * (1 + math.cos(5 * math.pi / 6)) / 2)


def test_checkpoints_resume_restart_and_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfkit.training import loop

    arguments = ["small_cnn", "--width", "0.25", "--batch-size", "256", "-o", str(tmp_path / "m.keras")]
    checkpoint = tmp_path / "m.keras.checkpoint"
    missing = run(*arguments, "--epochs", "2", "--resume")
    assert isinstance(missing.exception, InputError)
    assert "no checkpoint" in str(missing.exception)

    original = loop._Run._epoch

    def interrupted(self: Any, epoch: int, tell: Any) -> Any:
        if epoch == 1:
            raise KeyboardInterrupt
        return original(self, epoch, tell)

    monkeypatch.setattr(loop._Run, "_epoch", interrupted)
    stopped = run(*arguments, "--epochs", "2")
    assert stopped.exit_code != 0
    assert f"{checkpoint} holds the state after the last epoch; the same command goes on from it" in stopped.stderr
    monkeypatch.undo()
    other = run(*arguments, "--epochs", "3")
    assert isinstance(other.exception, UsageError)
    assert "stages training epochs was 2, now it is 3" in str(other.exception)
    resumed = run(*arguments, "--epochs", "2", "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert "training goes on after epoch 1 of 2" in resumed.stderr
    assert "training 1/2" not in resumed.stderr
    assert not checkpoint.exists()

    checkpoint.write_bytes(b"garbage")
    damaged = run(*arguments, "--epochs", "1")
    assert isinstance(damaged.exception, ModelError)
    assert "damaged" in str(damaged.exception)
    assert run(*arguments, "--epochs", "1", "--restart").exit_code == 0
    assert not checkpoint.exists()


def test_usage(trained: Path, tmp_path: Path) -> None:
    output = ("-o", str(tmp_path / "m.keras"))
    cases = [
        (("small_cnn", *output, "--quantize-aware", "--prune", "0.5"), UsageError, "choose one"),
        ((str(trained), *output, "--width", "2"), UsageError, "is built already"),
        (("small_cnn", *output, "--tuning-epochs", "2"), UsageError, "go with --quantize-aware or --prune"),
        (("small_cnn", *output, "--optimizer", "bop"), UsageError, "no binary kernel for Bop"),
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


@pytest.mark.parametrize("command", [("train", "small_cnn", "--data", "digits"), ("build", "small_cnn")])
def test_a_name_that_cannot_be_saved_is_refused_before_any_work(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tfkit.models.build", lambda *_, **__: pytest.fail("the work began"))
    result = CliRunner().invoke(cli, [*command, "-o", str(tmp_path / "m.tflite")])
    assert isinstance(result.exception, UsageError), result.output
    assert "saved as .keras files" in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_help_teaches() -> None:
    text = CliRunner().invoke(cli, ["train", "--help"]).stdout
    assert "tfkit train float.keras --data digits -o int8.keras --quantize-aware" in text
