"""What the packages say they export is what they export."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

import tfkit
from tfkit import _errors

PUBLIC = [
    "tfkit.bench",
    "tfkit.blocks",
    "tfkit.callbacks",
    "tfkit.converters",
    "tfkit.counting",
    "tfkit.data",
    "tfkit.devices",
    "tfkit.layers",
    "tfkit.metrics",
    "tfkit.models",
    "tfkit.optimizers",
    "tfkit.pruning",
    "tfkit.pruning.shrink",
    "tfkit.quantization",
    "tfkit.quantizers",
    "tfkit.runtime",
    "tfkit.tradeoffs",
    "tfkit.tradeoffs.report",
    "tfkit.tradeoffs.sweep",
    "tfkit.training",
]


def test_every_name_of_tfkit_resolves() -> None:
    assert tfkit.__all__ == sorted(tfkit.__all__, key=lambda name: (name.islower() or name.startswith("_"), name))
    for name in tfkit.__all__:
        assert getattr(tfkit, name) is not None


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'convrt'"):
        tfkit.convrt  # noqa: B018


@pytest.mark.parametrize("package", PUBLIC)
def test_all_resolves(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_every_error_is_a_tfkit_error() -> None:
    errors = [value for value in vars(_errors).values() if isinstance(value, type)]
    assert all(issubclass(error, _errors.TfkitError) for error in errors)
    assert {error.exit_code for error in errors} == {1, 2, 3}


def test_sorted_imports_find_keras_2() -> None:
    """tf_keras, which imports TensorFlow, comes before tfkit in the alphabet."""
    program = "import tf_keras\nimport tfkit\nfrom tfkit import layers\nprint(layers.QuantDense.__mro__[-5:])"
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert "tf_keras" in done.stdout


@pytest.mark.parametrize("first_use", ["tfkit._keras.legacy_keras()", "import tfkit.layers", "import tfkit.metrics"])
def test_tensorflow_with_keras_3_is_named(first_use: str) -> None:
    """Whoever imported TensorFlow with Keras 3 first is told what to do."""
    program = (
        "import tensorflow as tf; tf.keras.Model\n"
        "import tfkit._keras\n"
        f"try:\n    {first_use}\n"
        "except tfkit.TfkitError as error:\n    print(error)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert "Import tfkit first" in done.stdout


def test_folders_refuse_to_be_imported_by_their_short_names() -> None:
    for name in ("models", "converters"):
        done = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, text=True, check=False)
        assert "import it by that name" in done.stderr or "No module named" in done.stderr
