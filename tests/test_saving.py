from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.keras import keras, shake_normalizations, tiny_dataset
from tfkit import models
from tfkit._errors import InputError, ModelError, UsageError
from tfkit.metadata import metadata_of
from tfkit.pruning import prune
from tfkit.quantization import quantize_aware
from tfkit.saving import load, save

SEED = 17
layers = keras.layers


def network(scheme: str = "float32") -> Any:
    return shake_normalizations(models.build("small_cnn", scheme=scheme, classes=3, seed=SEED), SEED)


def images() -> np.ndarray:
    return tiny_dataset(SEED).x_test / 16


def variants() -> dict[str, Any]:
    return {
        "float": lambda: network(),
        "binary": lambda: network("binary"),
        "int8": lambda: quantize_aware(network(), images()),
        "binary_int8": lambda: quantize_aware(network("binary"), images()),
        "pruned": lambda: prune(network(), 0.5),
    }


@pytest.mark.parametrize("kind", variants())
def test_round_trip(kind: str, tmp_path: Path) -> None:
    """Also of a model that was loaded, and one that was compiled and trained a step."""
    model = variants()[kind]()
    expected = model.predict(images(), verbose=0)
    for name in ("first", "second"):
        save(model, tmp_path / f"{name}.keras")
        model = load(tmp_path / f"{name}.keras")
        np.testing.assert_array_equal(model.predict(images(), verbose=0), expected)
        assert metadata_of(model).name == "small_cnn"
        assert metadata_of(model).preprocessing is not None
    if kind in ("float", "binary_int8"):  # compiling a quantization-aware graph takes long; one will do
        model.compile("adam", "mse")
        model.fit(images(), np.zeros_like(expected), verbose=0)
        trained = model.predict(images(), verbose=0)
        save(model, tmp_path / "trained.keras")
        again = load(tmp_path / "trained.keras")
        np.testing.assert_array_equal(again.predict(images(), verbose=0), trained)
        assert getattr(again, "optimizer", None) is None


def test_metadata_is_a_member_of_the_zip(tmp_path: Path) -> None:
    save(network("binary"), tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        found = json.loads(archive.read("tfkit.json"))
    assert found["name"] == "small_cnn"
    assert found["scheme"] == "binary"
    assert found["preprocessing"]["raw_max"] == 16


def test_keras_reads_what_tfkit_wrote(tmp_path: Path) -> None:
    model = network("binary")
    save(model, tmp_path / "m.keras")
    plain = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(plain.predict(images(), verbose=0), model.predict(images(), verbose=0))


def test_tfkit_reads_what_keras_wrote(tmp_path: Path) -> None:
    model = network("binary")
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        np.testing.assert_array_equal(
            load(tmp_path / name).predict(images(), verbose=0), model.predict(images(), verbose=0)
        )


def test_larqs_own_layers(tmp_path: Path) -> None:
    import larq

    model = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            larq.layers.QuantConv2D(4, 3, input_quantizer="ste_sign", kernel_quantizer="ste_tern"),
        ]
    )
    save(model, tmp_path / "m.keras")
    np.testing.assert_array_equal(
        load(tmp_path / "m.keras").predict(images(), verbose=0), model.predict(images(), verbose=0)
    )


def test_keras_3_files(tmp_path: Path) -> None:
    import keras as keras3

    model = keras3.Sequential([keras3.Input((4,)), keras3.layers.Dense(2)])
    save(model, tmp_path / "m.keras")
    loaded = load(tmp_path / "m.keras")
    assert type(loaded).__module__.startswith("keras.")
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_saved_models(tmp_path: Path) -> None:
    model = network()
    model.export(tmp_path / "saved")
    loaded = load(tmp_path / "saved")
    np.testing.assert_allclose(loaded.serve(images()), model.predict(images(), verbose=0), rtol=1e-4, atol=1e-5)


def test_save_is_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "m.keras"
    target.write_bytes(b"precious")

    class Opaque(layers.Layer):
        def get_config(self) -> Any:
            raise NotImplementedError("no config for this one")

    model = keras.Sequential([layers.Input((2,)), Opaque()])
    with pytest.raises(ModelError, match="cannot be saved: no config for this one"):
        save(model, target)
    assert target.read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]


def test_save_says_where_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*nowhere; create it"):
        save(network(), tmp_path / "nowhere" / "m.keras")
    with pytest.raises(UsageError, match=r"saved as .keras files.*got 'm.h5'"):
        save(network(), tmp_path / "m.h5")


def test_public_names() -> None:
    assert tfkit.save is save
    assert tfkit.load is load


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_what_is_no_model(tmp_path: Path) -> None:
    save(network(), tmp_path / "whole.keras")
    whole = (tmp_path / "whole.keras").read_bytes()
    network().save(tmp_path / "whole.h5")
    whole_h5 = (tmp_path / "whole.h5").read_bytes()
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme.txt", "hello")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken").mkdir()
    write(tmp_path / "broken" / "saved_model.pb", b"\x00garbage\xff")
    keras.Sequential([layers.Input((2,)), layers.Dense(1)]).save_weights(tmp_path / "only.weights.h5")
    cases = {
        tmp_path / "missing.keras": "no model .*missing.keras; give a .keras",
        tmp_path / "folder": "folder without saved_model.pb",
        tmp_path / "broken": "damaged SavedModel",
        write(tmp_path / "text.keras", b"just some text"): r"not a Keras model \(it is neither",
        write(tmp_path / "empty.keras", b""): r"not a Keras model \(it is empty",
        write(tmp_path / "m.tflite", b"\x1c\x00\x00\x00TFL3 rest"): "it is a flatbuffer",
        tmp_path / "other.keras": "zip without config.json",
        write(tmp_path / "cut.h5", whole_h5[: len(whole_h5) // 2]): "damaged or cut off",
        tmp_path / "only.weights.h5": "holds no architecture, only weights",
        write(tmp_path / "renamed.zip", whole): "rename it to renamed.keras",
    }
    for path, message in cases.items():
        with pytest.raises(ModelError, match=message):
            load(path)
    for share in (0.02, 0.3, 0.7, 0.99):
        cut = write(tmp_path / "cut.keras", whole[: int(len(whole) * share)])
        with pytest.raises(ModelError, match="damaged or cut off"):
            load(cut)


def test_any_flipped_byte_is_an_error_or_a_model(tmp_path: Path) -> None:
    """Never a crash, never another exception."""
    model = keras.Sequential([layers.Input((2,)), layers.Dense(1)])
    save(model, tmp_path / "m.keras")
    whole = (tmp_path / "m.keras").read_bytes()
    rng = np.random.default_rng(SEED)
    for _ in range(80):
        place, value = int(rng.integers(len(whole))), int(rng.integers(256))
        print(f"seed {SEED}: byte {place} = {value}")  # noqa: T201  (shown when the test fails)
        damaged = write(tmp_path / "d.keras", whole[:place] + bytes([value]) + whole[place + 1 :])
        # Anything but ModelError fails the test by itself.
        with contextlib.suppress(ModelError):
            load(damaged)


def test_an_unknown_class_says_what_to_do(tmp_path: Path) -> None:
    class Mine(layers.Layer):
        pass

    model = keras.Sequential([layers.Input((2,)), Mine()])
    model.save(tmp_path / "m.h5")
    with pytest.raises(ModelError, match="import the module that registers the class before loading"):
        load(tmp_path / "m.h5")
