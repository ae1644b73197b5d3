from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.pruning import convolutional
from helpers.training import INTERRUPT, KILL, assert_same_bits, train, weights
from tfkit._errors import UnsupportedError, UsageError
from tfkit.cli import cli
from tfkit.cli.prune import SPARSE, STRUCTURED, STRUCTURES
from tfkit.counting import count
from tfkit.metadata import ModelMetadata, Preprocessing, attach_metadata
from tfkit.pruning import METHODS
from tfkit.saving import load, save
from tfkit.training import RECIPES

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


def test_help_has_the_recipe_of_every_method() -> None:
    """What a method does without options is what its page of accuracies was measured with."""
    from tests.claims.pruning_accuracy import LEARNING, SETTINGS, TUNING

    text = CliRunner().invoke(cli, ["prune", "--help"]).stdout
    own = {"sparsity", "n", "m", "rows", "columns", "seed"}  # have options of their own
    for name, kind in METHODS.items():
        others = own if "group" in getattr(kind, "structures", ()) else {*own, "group"}
        wanted = {
            f"{item.name}={item.default:g}"
            for item in fields(kind)
            if isinstance(item.default, int | float) and item.name not in others
        }
        found = re.search(rf"^ +{name} {{2,}}(\S+=.*)$", text, re.M)
        assert set(found[1].split() if found else ()) == wanted, name
    words = " ".join(text.split())
    assert LEARNING is RECIPES["pruning"]
    assert (LEARNING.optimizer, LEARNING.schedule, LEARNING.batch_size) == ("adam", "cosine", 64)
    assert (
        f"{LEARNING.epochs} epochs of Adam in batches of 64 with a learning rate of {LEARNING.learning_rate}" in words
    )
    assert f"and {TUNING.epochs} more after the cut" in words
    assert all(set(settings) == {"structure"} for settings in SETTINGS.values())
    assert METHODS["n_of_m"]().settings()["m"] == 5 * METHODS["n_of_m"]().settings()["n"]


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
        epochs = ["--epochs", "2", "--tuning-epochs", "2", "--batch-size", "256"]
        return [str(model), "-o", str(tmp_path / name), *goal(method), *epochs]

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


@pytest.mark.slow
@pytest.mark.parametrize("method", ["psp", "han"])
def test_a_killed_run_goes_on_to_the_same_bits(method: str, model: Path, tmp_path: Path) -> None:
    """In processes of their own, by SIGKILL and Ctrl-C, while pruning and while what is left is trained."""
    arguments = [str(model), "--data", "digits", *goal(method), "--epochs", "3", "--tuning-epochs", "3"]
    whole = train([*arguments, "-o", str(tmp_path / "whole.keras")], command="prune")
    assert whole.codes == [0], whole.stderr
    signals = [KILL, INTERRUPT, KILL]
    pieces = train([*arguments, "-o", str(tmp_path / "pieces.keras")], signals, SEED, command="prune")
    assert pieces.codes == [-KILL, 130, -KILL, 0], pieces.stderr
    assert_same_bits(weights(tmp_path / "whole.keras"), weights(tmp_path / "pieces.keras"), f"seed {SEED}")
    assert any(" goes on after epoch " in line for line in pieces.stderr)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pieces.keras", "whole.keras"]


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
