"""Options that exclude each other are refused with what to do; ends are what was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfkit
from helpers.conversion import SIDE, images, layers
from helpers.conversion import keras as legacy
from tfkit._errors import ConversionError, DataError, InputError, TfkitError, UnsupportedError, UsageError
from tfkit.converters import flatbuffer as fb
from tfkit.converters import read_metadata
from tfkit.converters.pipeline import _check_ends, _check_same_ends
from tfkit.converters.sources import open_source
from tfkit.metadata import ModelMetadata, Preprocessing, attach_metadata


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "flaot32"}, "unknown format 'flaot32'; did you mean 'float32'"),
        ({"io": "int4"}, "unknown io type 'int4'"),
        ({"runtime": "tflite"}, "unknown runtime 'tflite'; did you mean 'tflite-2.14'"),
        ({"batch": 0}, "batch is 0"),
        ({"batch": True}, "batch is True"),
        ({"min_agreement": 1.5}, "min_agreement is 1.5"),
        ({"format": "float16", "calibration": "digits"}, "calibration data is for format int8"),
        ({"format": "int8"}, "either train it quantization-aware .* or give calibration data"),
        ({"io": "int8"}, "int8 inputs and outputs need an integer model"),
        ({"format": "dynamic", "io": "int8"}, "int8 inputs and outputs need an integer model"),
    ],
)
def test_do_not_accept_impossible_wishes(settings: dict[str, Any], message: str, float_model: Any) -> None:
    with pytest.raises(UsageError, match=message):
        tfkit.convert(float_model, **settings)


def test_do_not_ignore_integer_ends_of_a_binary_model(binary_model: Any) -> None:
    """LCE's converter takes the wish and gives floats."""
    with pytest.raises(UsageError, match=r"was not trained with any: use tfkit\.quantize_aware"):
        tfkit.convert(binary_model, "lce", io="int8")


def test_do_not_free_the_batch_of_a_binary_model(binary_model: Any) -> None:
    with pytest.raises(UnsupportedError, match="fixed batch"):
        tfkit.convert(binary_model, "lce", batch="dynamic")


@pytest.mark.parametrize("format", ["float32", "float16", "dynamic"])
def test_do_not_waste_quantization_aware_training(format: str, aware_model: Any) -> None:
    with pytest.raises(UsageError, match="convert it with format='int8'"):
        tfkit.convert(aware_model, format)


def test_do_not_calibrate_what_was_trained(aware_model: Any) -> None:
    with pytest.raises(UsageError, match="leave the calibration data out"):
        tfkit.convert(aware_model, "int8", calibration=images(4))


def test_do_assert_the_ends(float_conversion: Any, int8_conversion: Any) -> None:
    _check_ends(fb.parse(int8_conversion.flatbuffer), "int8", 1)
    with pytest.raises(ConversionError, match="int8 ends were asked for, but the converter left input 'image' FLOAT32"):
        _check_ends(fb.parse(float_conversion.flatbuffer), "int8", 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"picture": images(4)}, "no array for image; it holds picture"),
        ({"image": np.zeros((4, 5, 5, 3), np.float32)}, "samples of shape 5x5x3, the model takes 12x12x3"),
        ({"image": np.zeros((0, SIDE, SIDE, 3), np.float32)}, "holds no samples"),
        ({"image": np.full((2, SIDE, SIDE, 3), np.nan, np.float32)}, "NaN"),
    ],
)
def test_do_not_calibrate_with_wrong_data(
    arrays: dict[str, np.ndarray], message: str, tmp_path: Path, float_model: Any
) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    for given in (arrays, tmp_path / "x.npz"):
        with pytest.raises(DataError, match=message):
            tfkit.convert(float_model, "int8", calibration=given)


def test_do_check_the_range_of_calibration_data() -> None:
    model = legacy.Sequential([layers.Input((4,), name="row"), layers.Dense(3)])
    attach_metadata(model, ModelMetadata(preprocessing=Preprocessing(1 / 127.5, -1.0, 0.0, 255.0)))
    with pytest.raises(DataError, match=r"takes raw data in \[0, 255\]"):
        tfkit.convert(model, "int8", calibration=np.full((8, 4), -1.0, np.float32))


def test_do_calibrate_on_preprocessed_data() -> None:
    """Raw 0..255 becomes [-1, 1]: the input's scale is 2/255, not 1."""
    model = legacy.Sequential([layers.Input((4,), name="row"), layers.Dense(3)])
    attach_metadata(model, ModelMetadata(preprocessing=Preprocessing(1 / 127.5, -1.0, 0.0, 255.0)))
    raw = np.linspace(0, 255, 64).reshape(16, 4).astype(np.float32)
    conversion = tfkit.convert(model, "int8", calibration={"x": raw}, io="int8", min_agreement=0.0)
    graph = fb.parse(conversion.flatbuffer).main
    assert graph.tensors[graph.inputs[0]].quantization.scale[0] == pytest.approx(2 / 255, rel=1e-3)


def test_do_write_metadata(float_conversion: Any, float_model: Any) -> None:
    found = read_metadata(float_conversion.flatbuffer)
    assert found == dict(float_conversion.metadata)
    assert found["tfkit_version"] == tfkit.__version__
    assert found["format"] == "float32"
    assert found["source_sha256"] == open_source(float_model).digest()
    assert json.loads(json.dumps(found)) == found


def test_do_not_find_metadata_where_there_is_none(float_conversion: Any) -> None:
    edit = fb.Edit(float_conversion.flatbuffer)
    edit._model.metadata = None
    assert read_metadata(edit.serialize()) is None


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[1]", b"[" * 100_000])
def test_do_not_believe_damaged_metadata(content: bytes, float_conversion: Any) -> None:
    with pytest.raises(TfkitError, match="metadata is damaged"):
        read_metadata(fb.set_metadata(float_conversion.flatbuffer, {"tfkit": content}))


def test_do_warn_when_the_model_is_another(float_model: Any, float_conversion: Any) -> None:
    other = legacy.models.clone_model(float_model)
    parity = tfkit.verify(other, float_conversion.flatbuffer, layers=False)
    assert not parity.ok
    assert any("records another source model" in w for w in parity.warnings)
    assert not any(
        "another source" in w for w in tfkit.verify(float_model, float_conversion.flatbuffer, layers=False).warnings
    )


def test_do_not_compare_other_shapes(float_conversion: Any) -> None:
    model = legacy.Sequential([layers.Input((5,), name="row"), layers.Dense(3)])
    with pytest.raises(UsageError, match="was not made from this model"):
        _check_same_ends(open_source(model), fb.parse(float_conversion.flatbuffer))


def test_do_save_whole_files_only(tmp_path: Path, float_conversion: Any) -> None:
    path = float_conversion.save(tmp_path / "m.tflite")
    assert path.read_bytes() == float_conversion.flatbuffer
    with pytest.raises(InputError, match="choose a folder"):
        float_conversion.save(tmp_path / "missing" / "m.tflite")
    assert [p.name for p in tmp_path.iterdir()] == ["m.tflite"]


def test_do_tell_the_steps(float_model: Any) -> None:
    lines: list[str] = []
    tfkit.convert(float_model, verify=False, progress=lines.append)
    assert lines == ["reading the model", "converting to float32", "matching layers to ops"]


def test_do_verify_a_file_whose_metadata_is_hostile(float_model: Any, float_conversion: Any) -> None:
    for content in ({"runtime": []}, {"runtime": {"a": 1}, "source_sha256": 3}):
        entry = {"tfkit": json.dumps(content).encode()}
        assert tfkit.verify(float_model, fb.set_metadata(float_conversion.flatbuffer, entry)).ok
