"""Model files that carry code, or lie about their size, are refused before anything of them runs."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.keras import keras
from tfkit._errors import ModelError
from tfkit._untrusted import code_in_config
from tfkit.saving import load, save

layers = keras.layers


def payload(path: Path) -> Callable[[Any], Any]:
    """A function that would leave a file behind."""
    name = str(path)

    def run(x: Any, name: str = name) -> Any:
        open(name, "w").write("executed")  # noqa: SIM115
        return x

    return run


def lambda_model(function: Any) -> Any:
    return keras.Sequential([layers.Input((3,)), layers.Lambda(function, name="evil")])


def nested_model(function: Any) -> Any:
    inner = keras.Sequential([layers.Input((3,)), layers.Lambda(function, name="evil")], name="inner")
    return keras.Sequential([layers.Input((3,)), inner])


def wrapped_model(function: Any) -> Any:
    return keras.Sequential([layers.Input((2, 3)), layers.TimeDistributed(layers.Lambda(function, name="evil"))])


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("make", [lambda_model, nested_model, wrapped_model])
def test_lambda_code_is_refused_by_name_and_never_runs(make: Any, suffix: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    model = make(payload(victim))
    path = tmp_path / f"m{suffix}"
    model.save(path)
    victim.unlink(missing_ok=True)  # building the model ran it once
    with pytest.raises(ModelError, match=r"Lambda layer 'evil'.*Nothing was loaded.*--trust-model"):
        load(path)
    assert not victim.exists()
    assert load(path, trust_model=True).count_params() == 0
    assert victim.exists(), "the payload works, so the refusal is what stopped it"


def config_of(model: Any) -> dict[str, Any]:
    return json.loads(json.dumps(keras.saving.serialize_keras_object(model)))


def plain() -> Any:
    return keras.Sequential([layers.Input((3,)), layers.Dense(2, activation="relu", name="dense")])


def with_activation(value: Any) -> dict[str, Any]:
    config = config_of(plain())
    config["config"]["layers"][1]["config"]["activation"] = value
    return config


def function(name: str, module: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (with_activation(function("system", "os")), "function 'system' from module 'os' in 'dense'"),
        (with_activation(function("exec", "builtins")), "function 'exec' from module 'builtins'"),
        (with_activation(function("sys.exit", "tf_keras.src.activations")), "function 'sys.exit'"),
        (with_activation(function("get_file", "keras.utils")), "function 'get_file' from module 'keras.utils'"),
        (
            with_activation({"module": "antigravity", "class_name": "Fly", "config": {}}),
            "Fly from module 'antigravity'",
        ),
        (with_activation({"class_name": "__lambda__", "config": {"value": "x"}}), "a lambda function in 'dense'"),
        (
            with_activation(["4wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None, None]),
            "Python bytecode in 'dense'",
        ),
        (
            {"class_name": "TFOpLambda", "config": {"name": "op", "function": "io.write_file"}},
            "calling tf.io.write_file",
        ),
        (
            {"class_name": "TFOpLambda", "config": {"name": "op", "function": "compat.v1.py_func"}},
            "TFOpLambda layer 'op' calling tf.compat.v1.py_func",
        ),
        ({"class_name": "Custom>Lambda", "config": {"name": "op"}}, "Lambda layer 'op'"),
        ({"config": {"function_type": "lambda"}}, "a lambda function"),
    ],
)
def test_code_without_a_lambda_layer(config: Any, found: str) -> None:
    assert found in "; ".join(code_in_config(config))


def test_networks_are_no_code() -> None:
    from tfkit import models
    from tfkit.pruning import prune
    from tfkit.quantization import quantize_aware

    network = models.build("small_cnn", scheme="binary")
    inputs = layers.Input((4, 4, 2))
    operators = keras.Model(inputs, layers.Conv2D(2, 1, activation="swish")(inputs) * 2.0 + 1.0)
    for model in (network, quantize_aware(network), prune(network, layers="float"), operators, plain()):
        assert code_in_config(config_of(model)) == []


def test_functions_that_the_user_registered_are_his_own() -> None:
    config = with_activation(function("mine", "somewhere"))
    assert code_in_config(config)
    assert not code_in_config(config, known=frozenset({"mine"}))


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes | None], compression: int) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def test_absurd_sizes_are_refused(tmp_path: Path) -> None:
    save(plain(), tmp_path / "m.keras")
    bomb = rewritten(
        tmp_path / "m.keras",
        tmp_path / "bomb.keras",
        lambda name, content: content + b" " * (200 << 20) if name == "config.json" else content,
        zipfile.ZIP_DEFLATED,
    )
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(ModelError, match=r"was not unpacked: its member 'config.json' would unpack to"):
        load(bomb)
    with zipfile.ZipFile(tmp_path / "m.keras", "a") as archive:
        archive.writestr("../outside", "x")
    with pytest.raises(ModelError, match=r"'../outside' points outside the archive"):
        load(tmp_path / "m.keras")


@pytest.mark.parametrize("kind", ["huge", "external", "link"])
def test_hostile_weights_are_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    plain().save(path)
    (tmp_path / "secret").write_bytes(b"\x00" * 64)
    with h5py.File(path, "a") as file:
        if kind == "huge":
            file.create_dataset("model_weights/huge", (1 << 20, 1 << 20), np.float32, chunks=(1024, 1024))
        elif kind == "external":
            file.create_dataset("model_weights/other", (8,), np.float32, external=[(str(tmp_path / "secret"), 0, 32)])
        else:
            file["model_weights/other"] = h5py.ExternalLink(str(tmp_path / "secret"), "/")
    message = {"huge": "weights would take", "external": "data in another file", "link": "links to another file"}[kind]
    with pytest.raises(ModelError, match=message):
        load(path)


def test_a_config_that_is_no_config(tmp_path: Path) -> None:
    save(plain(), tmp_path / "m.keras")
    for content in (
        b"[]",
        b"{",
        b"null",
        b'{"module": "keras", "class_name": "Sequential", "config": 3}',
        b"[" * 100_000,
    ):
        damaged = rewritten(
            tmp_path / "m.keras",
            tmp_path / "d.keras",
            lambda name, old, content=content: content if name == "config.json" else old,
            zipfile.ZIP_STORED,
        )
        with pytest.raises(ModelError, match=r"d\.keras"):
            load(damaged)
