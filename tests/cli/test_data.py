"""`--data` and `--calibration` take the same forms in every command, and answer what does not fit in one message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import tfkit
from helpers import images
from helpers.conversion import keras, layers
from tfkit._errors import DataError, UsageError
from tfkit.cli import cli
from tfkit.cli._options import DATA
from tfkit.data import DATASETS
from tfkit.metadata import ModelMetadata, Preprocessing, attach_metadata


def run(*arguments: object) -> Any:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small classifier of 20x24 colour images, its flatbuffer, and a folder of images with two classes."""
    found = tmp_path_factory.mktemp("data")
    inputs = layers.Input((20, 24, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(1))(
        inputs
    )
    x = layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(2))(layers.GlobalAveragePooling2D()(x))
    model = attach_metadata(
        keras.Model(inputs, x), ModelMetadata(preprocessing=Preprocessing(1 / 127.5, -1.0, 0.0, 255.0))
    )
    tfkit.save(model, found / "m.keras")
    images.folder(found / "images", {"a": 10, "b": 10}, (40, 50))
    images.folder(found / "flat", {".": 6})
    (found / "three").mkdir()
    images.folder(found / "three", {"a": 3, "b": 3, "c": 3})
    done = run("convert", found / "m.keras", "-o", found / "m.tflite", "--format", "int8", "--calibration",
               f"images:{found / 'images'}", "--data", f"images:{found / 'images'}", "--min-agreement", 0)  # fmt: skip
    assert done.exit_code == 0, done.output
    return found


@pytest.mark.parametrize("command", ["train", "convert", "verify", "bench"])
def test_one_help_text(command: str) -> None:
    text = " ".join(run(command, "--help").stdout.split())
    assert f": {DATA}." in text
    for spec in DATASETS.values():
        assert spec.usage in DATA


def test_help_of_calibration() -> None:
    assert f"Raw samples for post-training int8: {DATA}." in " ".join(run("convert", "--help").stdout.split())


def test_images_calibrate_and_verify(folder: Path, tmp_path: Path) -> None:
    done = run("verify", folder / "m.keras", folder / "m.tflite", "--data", f"images:{folder / 'images'}",
               "--min-agreement", 0, "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    outputs = json.loads(done.stdout)["outputs"]
    measured = [output for output in outputs if output["accuracy"] is not None]
    assert measured, "the images' classes are known"
    assert measured[0]["samples"] == 4, "a fifth of 20"
    done = run("convert", folder / "m.keras", "-o", tmp_path / "m.tflite", "--format", "int8", "--calibration",
               f"images:{folder / 'flat'}", "--min-agreement", 0)  # fmt: skip
    assert done.exit_code == 0, "images without classes calibrate as well"


def test_images_are_benchmarked(folder: Path) -> None:
    from tfkit.bench import inputs
    from tfkit.runtime import Interpreter

    content = (folder / "m.tflite").read_bytes()
    found = inputs.data_candidates(f"images:{folder / 'three'}", content, Interpreter(content).inputs)
    assert [arrays[0].shape for arrays in found] == [(1, 20, 24, 3)] * 3
    assert len({arrays[0].tobytes() for arrays in found}) == 3


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        ("{}/images", DataError, "is a folder; say what it holds: images:"),
        ("images:{}/nowhere", DataError, "nowhere does not exist"),
        ("image:{}/images", UsageError, "did you mean 'images'"),
        ("cifar10:{}/images", DataError, "holds no CIFAR-10; expected are data_batch_1.bin"),
        ("images:{}/three", DataError, "labels 'y' go from 0 to 2; the model has classes 0 to 1"),
        ("shapes:0.1", DataError, "samples of shape 32x32x3, the model takes 20x24x3"),
        ("digits", DataError, "samples of shape 8x8x1, the model takes 20x24x3"),
        ("{}/grey.npz", DataError, "has 1 channels where the model takes 3"),
        ("{}/cut.npz", DataError, "is not an .npz file"),
        ("{}/m.keras", DataError, "is a zip of other things"),
    ],
)
def test_data_that_does_not_fit(data: str, kind: type, message: str, folder: Path, tmp_path: Path) -> None:
    np.savez(folder / "grey.npz", x=np.zeros((2, 20, 24, 1)))
    (folder / "cut.npz").write_bytes((folder / "grey.npz").read_bytes()[:500])
    source = data.format(folder)
    for command in (
        ["convert", folder / "m.keras", "-o", tmp_path / "m.tflite", "--format", "int8", "--calibration", source],
        ["verify", folder / "m.keras", folder / "m.tflite", "--data", source],
    ):
        done = run(*command)
        assert isinstance(done.exception, kind), done.output
        assert message in str(done.exception)
    assert not list(tmp_path.iterdir())
