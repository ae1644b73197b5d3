"""Training that was killed goes on to the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.keras import keras
from helpers.training import INTERRUPT, KILL, assert_same_bits, train, weights
from tfkit.metadata import ModelMetadata, Preprocessing, attach_metadata
from tfkit.saving import save

SEED = 7


@pytest.fixture(scope="module")
def with_dropout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small float network with two dropout layers, one of them with a seed of its own."""
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.SpatialDropout2D(0.2, seed=3),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10),
        ]
    )
    attach_metadata(model, ModelMetadata(preprocessing=Preprocessing(1 / 16, 0.0, 0.0, 16.0)))
    path = tmp_path_factory.mktemp("models") / "dropout.keras"
    save(model, path)
    return path


def check(arguments: list[str], tmp_path: Path, signals: list[int]) -> None:
    whole, pieces = tmp_path / "whole.keras", tmp_path / "pieces.keras"
    uninterrupted = train([*arguments, "-o", str(whole)])
    assert uninterrupted.codes == [0], uninterrupted.stderr
    interrupted = train([*arguments, "-o", str(pieces)], signals, seed=SEED)
    assert interrupted.codes == [130 if number == INTERRUPT else -number for number in signals] + [0], (
        interrupted.stderr
    )
    assert_same_bits(weights(whole), weights(pieces), f"seed {SEED}; {interrupted.stderr}")
    assert interrupted.stdout.split(": ")[1] == uninterrupted.stdout.split(": ")[1]
    assert any(" goes on after epoch " in line for line in interrupted.stderr)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pieces.keras", "whole.keras"]


def test_float_with_dropout_and_augmentation(with_dropout: Path, tmp_path: Path) -> None:
    arguments = [str(with_dropout), "--data", "digits", "--augment", "--weight-decay", "0.01", "--epochs", "12"]
    check([*arguments, "--warmup", "0.2"], tmp_path, [KILL, INTERRUPT, KILL])


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--scheme", "binary", "--epochs", "6"],
        ["--scheme", "binary", "--recipe", "bop", "--epochs", "6"],
        ["--scheme", "int8", "--epochs", "6"],
        ["--scheme", "binary_int8", "--epochs", "6"],
        ["--epochs", "3", "--quantize-aware", "--tuning-epochs", "4"],
        ["--epochs", "3", "--prune", "0.6", "--tuning-epochs", "4"],
        ["--precision", "bfloat16", "--recipe", "residual", "--epochs", "6"],
    ],
    ids=lambda options: " ".join(options),
)
def test_every_kind_of_stage(options: list[str], tmp_path: Path) -> None:
    arguments = ["small_cnn", "--width", "0.5", "--data", "digits", "--batch-size", "128", *options]
    check(arguments, tmp_path, [KILL, INTERRUPT, KILL])
