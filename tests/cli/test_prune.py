from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.pruning import convolutional
from helpers.training import assert_same_bits, weights
from tfkit._errors import UnsupportedError, UsageError
from tfkit.cli import cli
from tfkit.cli.prune import SPARSE, STRUCTURED, STRUCTURES
from tfkit.counting import count
from tfkit.metadata import ModelMetadata, Preprocessing, attach_metadata
from tfkit.pruning import METHODS
from tfkit.saving import load, save

SEED = 23


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["prune", *arguments, "--data", "digits"])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prune") / "m.keras"
    network = convolutional(SEED, classes=10)
    save(attach_metadata(network, ModelMetadata(preprocessing=Preprocessing(1 / 16, 0.0, 0.0, 16.0))), path)
    return path


def test_the_command_knows_every_method() -> None:
    from tfkit.pruning.structures import STRUCTURES as KINDS

    assert {name for name, method in METHODS.items() if method.aim == "sparsity"} == set(SPARSE)
    assert {name for name, method in METHODS.items() if method.aim == "macs"} == set(STRUCTURED)
    assert STRUCTURES == KINDS
    text = CliRunner().invoke(cli, ["prune", "--help"]).stdout
    assert all(name in text for name in METHODS)


def test_zeros_to_the_sparsity(model: Path, tmp_path: Path) -> None:
    output = tmp_path / "sparse.keras"
    done = run(str(model), "-o", str(output), "--method", "han", "--sparsity", "0.7", "--epochs", "2")
    assert done.exit_code == 0, done.output
    assert "pruning 2/2" in done.stderr
    kernels = [layer.kernel.numpy() for layer in load(output).layers if hasattr(layer, "kernel")]
    assert np.mean(np.concatenate([kernel.ravel() for kernel in kernels]) == 0) == pytest.approx(0.7, abs=1e-3)
    assert " not zero), weights " in done.stdout


def goal(method: str) -> list[str]:
    if METHODS[method].aim == "sparsity":
        return ["--method", method, "--sparsity", "0.5"]
    return ["--method", method, "--structure", "channel", "--target-macs", "0.5", "--multiple-of", "1"]


@pytest.mark.parametrize(
    ("method", "stops"),  # the epochs, counted in the process, in which it is interrupted
    [
        ("psp", [4]),
        pytest.param("psp", [2, 3], marks=pytest.mark.slow),
        pytest.param("thinet", [2], marks=pytest.mark.slow),
        pytest.param("obs", [2], marks=pytest.mark.slow),
        pytest.param("l0_arm", [2, 3], marks=pytest.mark.slow),
        pytest.param("sparse_vd", [2, 3], marks=pytest.mark.slow),
    ],
)
def test_an_interruption_changes_nothing(
    method: str, stops: list[int], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfkit.training import loop

    def arguments(name: str) -> list[str]:
        return [str(model), "-o", str(tmp_path / name), *goal(method), "--epochs", "2", "--tuning-epochs", "2"]

    whole = run(*arguments("whole.keras"))
    assert whole.exit_code == 0, whole.output
    if METHODS[method].aim == "macs":
        assert 0.3 < count(load(tmp_path / "whole.keras")).macs / count(load(model)).macs <= 0.5
    pruning = ["pruning 1/2", "pruning 2/2"] if METHODS[method].trains else []
    told = [line.split(":")[0] for line in whole.stderr.splitlines()]
    assert told == [*pruning, "fine-tuning 1/2", "fine-tuning 2/2"]

    original = loop._Run._epoch
    for stop in stops:
        begun: list[int] = []

        def interrupted(self: Any, epoch: int, tell: Any, stop: int = stop, begun: list[int] = begun) -> Any:
            begun.append(epoch)
            if len(begun) == stop:
                raise KeyboardInterrupt
            return original(self, epoch, tell)

        monkeypatch.setattr(loop._Run, "_epoch", interrupted)
        stopped = run(*arguments("pieces.keras"))
        assert stopped.exit_code != 0
        assert "the same command goes on from it" in stopped.stderr
        monkeypatch.undo()
    resumed = run(*arguments("pieces.keras"), "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert_same_bits(weights(tmp_path / "whole.keras"), weights(tmp_path / "pieces.keras"), f"seed {SEED}")
    assert not (tmp_path / "pieces.keras.checkpoint").exists()


def test_usage(model: Path, tmp_path: Path) -> None:
    output = ("-o", str(tmp_path / "m.keras"))
    cases = [
        (("--method", "han", "--target-macs", "0.5"), UsageError, "han does not take --target-macs; it takes --spars"),
        (("--method", "psp", "--sparsity", "0.5"), UsageError, "psp does not take --sparsity; it takes --structure"),
        (("--method", "n_of_m", "--sparsity", "0.5"), UsageError, "it takes --pattern"),
        (("--method", "n_of_m", "--pattern", "4"), UsageError, "--pattern is two numbers such as 2:8; got '4'"),
        (("--method", "n_of_m", "--pattern", "4:4"), UsageError, "0 < N < M; got 4:4"),
        (("--method", "block", "--block", "1x1"), UsageError, "at least 2 weights; got 1x1"),
        (("--method", "dns", "--set", "nope=1"), UsageError, "dns has no setting 'nope'; it has sparsity, margin"),
        (("--method", "dns", "--set", "margin=a"), UsageError, "--set margin= takes a number such as 0.1; got 'a'"),
        (("--method", "dns", "--layers", "nope"), UsageError, "the model has no layer 'nope'"),
        (("--method", "slimming", "--structure", "group"), UsageError, "slimming prunes channels; got 'group'"),
    ]
    for arguments, kind, message in cases:
        done = run(str(model), *output, *arguments)
        assert isinstance(done.exception, kind), done.output
        assert message in str(done.exception)
    assert not (tmp_path / "m.keras").exists()


def test_a_binary_model_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "binary.keras"
    assert CliRunner().invoke(cli, ["build", "small_cnn", "--scheme", "binary", "-o", str(path)]).exit_code == 0
    done = run(str(path), "-o", str(tmp_path / "m.keras"), "--method", "han", "--epochs", "1")
    assert isinstance(done.exception, UnsupportedError)
    assert "'block1a' has a binary kernel: sign(0) = +1" in str(done.exception)
