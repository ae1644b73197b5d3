from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfkit._errors import DataError
from tfkit.data import InputSpec, fit_samples, read_samples

IMAGE = InputSpec("image", (8, 8, 1))
TWO = (InputSpec("left", (2,)), InputSpec("right", (None, 3), "int32"))


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path / "data.npz", **arrays)
    return path / "data.npz"


def test_one_input_by_its_name_or_x(tmp_path: Path) -> None:
    images = np.arange(2 * 64, dtype=np.uint8).reshape(2, 8, 8, 1)
    for name in ("image", "x"):
        found = read_samples(npz(tmp_path, **{name: images}, y=np.array([3, 4], np.uint8)), [IMAGE])
        assert found.inputs["image"].dtype == np.float32
        np.testing.assert_array_equal(found.inputs["image"], images)
        assert found.labels is not None
        assert found.labels.tolist() == [3, 4]
        assert len(found) == 2


def test_several_inputs(tmp_path: Path) -> None:
    found = read_samples(npz(tmp_path, left=np.zeros((4, 2)), right=np.zeros((4, 7, 3), np.int16)), TWO)
    assert {name: array.shape for name, array in found.inputs.items()} == {"left": (4, 2), "right": (4, 7, 3)}
    assert found.labels is None


def test_named_data_set() -> None:
    found = read_samples("digits", [IMAGE])
    assert found.inputs["image"].shape == (450, 8, 8, 1)
    assert found.inputs["image"].max() == 16
    assert found.labels is not None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"picture": np.zeros((1, 8, 8, 1))},
            "no array for image; it holds picture; the model takes image 8x8x1 float32",
        ),
        ({}, "it holds nothing"),
        ({"x": np.zeros((1, 8, 8, 3))}, "samples of shape 8x8x3, the model takes 8x8x1"),
        ({"x": np.zeros((8, 8, 1))}, r"samples of shape 8x1, the model takes 8x8x1 \(the first axis"),
        ({"x": np.zeros((0, 8, 8, 1))}, "holds no samples for image"),
        ({"x": np.float32(3)}, "holds no samples for image"),
        ({"x": np.zeros((1, 8, 8, 1), complex)}, "has type complex128, the model takes float32"),
        ({"x": np.full((1, 8, 8, 1), "a")}, "has type <U1"),
        ({"x": np.full((1, 8, 8, 1), np.nan)}, "holds NaN or infinity"),
        ({"image": np.zeros((1, 8, 8, 1)), "other": np.zeros(1)}, "holds other, which is no input"),
        ({"x": np.zeros((2, 8, 8, 1)), "y": np.zeros((3,), int)}, "labels 'y' have shape 3 and type int64; 2 class"),
        ({"x": np.zeros((2, 8, 8, 1)), "y": np.zeros((2, 10), int)}, "labels 'y' have shape 2x10"),
        ({"x": np.zeros((2, 8, 8, 1)), "y": np.zeros(2)}, "type float64"),
    ],
)
def test_what_does_not_fit(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_samples(npz(tmp_path, **arrays), [IMAGE])


def test_integers_are_not_made_of_floats(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="right has type float64, the model takes int32"):
        read_samples(npz(tmp_path, left=np.zeros((1, 2)), right=np.zeros((1, 7, 3))), TWO)


def test_inputs_have_one_batch(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"different number of samples per input \(left: 2, right: 3\)"):
        read_samples(npz(tmp_path, left=np.zeros((2, 2)), right=np.zeros((3, 7, 3), np.int32)), TWO)


class Payload:
    """Unpickling this writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_pickles_are_refused_and_not_run(tmp_path: Path) -> None:
    file = npz(tmp_path, x=np.array([Payload(tmp_path / "victim")], dtype=object))
    with pytest.raises(DataError, match="holds pickled objects, which are programs"):
        read_samples(file, [IMAGE])
    assert not (tmp_path / "victim").exists()


def test_files_that_are_no_npz(tmp_path: Path) -> None:
    whole = npz(tmp_path, x=np.zeros((20, 8, 8, 1))).read_bytes()
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "flipped.npz").write_bytes(whole[:4000] + b"\xff\xff\xff\xff" + whole[4004:])
    cases = {
        "missing.npz": "no data file",
        "digit": r"no data file .*did you mean 'digits'",
        "text.npz": "is not an .npz file",
        "empty.npz": "is not an .npz file",
        "cut.npz": "is not an .npz file",
        "flipped.npz": "is damaged",
    }
    for name, message in cases.items():
        path = name if name == "digit" else tmp_path / name
        with pytest.raises(DataError, match=message):
            read_samples(path, [IMAGE])
    with pytest.raises(DataError, match=r"is a folder; say what it holds: images:"):
        read_samples(tmp_path, [IMAGE])


def test_values_that_the_cast_would_lose_are_named() -> None:
    with pytest.raises(DataError, match="beyond float32"):
        fit_samples({"x": np.full((2, 4), 1e300)}, [InputSpec("row", (4,))], "the array")
