from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import images
from tfkit._errors import DataError
from tfkit.data import InputSpec, fit_samples, load, read_samples, samples

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


def test_data_sets_give_either_split_and_no_more_than_asked() -> None:
    found = read_samples("digits", [IMAGE], split="train", limit=20)
    np.testing.assert_array_equal(found.inputs["image"], load("digits").x_train[:20])
    assert len(read_samples("digits", [IMAGE], split="train")) == samples.DEFAULT_LIMIT
    with pytest.raises(DataError, match=r"'digits' has one array of images, the model takes left 2 float32, right"):
        read_samples("digits", TWO)


def test_large_samples_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MAX_BYTES", 30 * 8 * 8 * 4)
    assert len(read_samples("digits", [IMAGE])) == 30


def test_a_file_with_both_splits(tmp_path: Path) -> None:
    x, y = np.zeros((4, 8, 8, 1)), np.arange(4)
    file = npz(tmp_path, x_train=x, y_train=y, x_test=x[:3], y_test=y[:3])
    assert (len(read_samples(file, [IMAGE])), len(read_samples(file, [IMAGE], split="train"))) == (3, 4)


def test_images_are_resized_to_the_input(tmp_path: Path) -> None:
    images.folder(tmp_path, {"train/a": 2, "train/b": 2, "test/a": 3, "test/b": 1}, (30, 30))
    found = read_samples(f"images:{tmp_path}", [InputSpec("picture", (10, 12, 3))])
    assert found.inputs["picture"].shape == (4, 10, 12, 3)
    assert found.labels is not None
    assert sorted(found.labels.tolist()) == [0, 0, 0, 1]
    for shape, shown in (((10, 12, 4), "10x12x4"), ((120,), "120")):
        with pytest.raises(
            DataError, match=rf"with 3 channels \(RGB\), or 1 \(grey\); the model's picture takes {shown}"
        ):
            read_samples(f"images:{tmp_path}", [InputSpec("picture", shape)])


def test_images_without_classes_calibrate_and_have_no_labels(tmp_path: Path) -> None:
    images.folder(tmp_path, {".": 5}, (10, 10))
    found = read_samples(f"images:{tmp_path}", [InputSpec("x", (10, 10, 3))], limit=4)
    assert (len(found), found.labels) == (4, None)
    np.testing.assert_array_equal(found.inputs["x"][0] % 1, 0)
    (tmp_path / "0.png").write_text("hello")
    with pytest.raises(DataError, match=r"1 of 5 images cannot be used.*\n.*0.png: no JPEG"):
        read_samples(f"images:{tmp_path}", [InputSpec("x", (10, 10, 3))])


def test_wrong_channels_are_called_so() -> None:
    with pytest.raises(DataError, match="has 1 channels where the model takes 3: samples of shape 8x8x1"):
        read_samples("digits", [InputSpec("image", (8, 8, 3))])


def test_labels_beyond_the_classes(tmp_path: Path) -> None:
    for labels, classes, message in (
        ([0, 9], 9, "labels 'y' go from 0 to 9; the model has classes 0 to 8"),
        ([-1, 2], None, "labels 'y' go from -1 to 2; class numbers start at 0"),
    ):
        file = npz(tmp_path, x=np.zeros((2, 8, 8, 1)), y=np.array(labels))
        with pytest.raises(DataError, match=message):
            read_samples(file, [IMAGE], classes=classes)
    with pytest.raises(DataError, match="the model has classes 0 to 4"):
        read_samples("digits", [IMAGE], classes=5)


def rewritten(path: Path, content: bytes, name: str = "x.npy", compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(name, content)
    return path


def array_file(shape: str, content: bytes, dtype: str = "<f4") -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def test_archives_that_lie_or_explode(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    cases = [
        (
            array_file("(1000000, 1000000)", b"\0" * 16),
            r"'x' declares 4000000000000 bytes \(1000000x1000000 float32",
        ),
        (array_file("(2, -8)", b"\0" * 16), "is damaged"),
        (array_file("(4,)", b"\0" * 12), "declares 16 bytes .* and has 12"),
        (array_file("(4,)", b"\0" * 20), "declares 16 bytes .* and has 20"),
        (array_file("(4,)", b"\0" * 16, "|O"), "holds pickled objects"),
        (array_file("(__import__('os'),)", b""), "is damaged"),
        (b"\x93NUMPY\x03\x00" + array_file("(4,)", b"\0" * 16)[8:], "version 3.0"),
        (b"hello", "is damaged"),
        (b"", "is damaged"),
        (array_file("(33554432,)", b"\0" * (128 << 20)), "was not unpacked: from .* it would become 128"),
    ]
    for content, message in cases:
        with pytest.raises(DataError, match=message):
            read_samples(rewritten(path, content), [IMAGE])
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DataError, match=r"is a zip of other things \('x.txt'\), not an .npz file"):
        read_samples(rewritten(path, b"hello", "x.txt"), [IMAGE])


def test_a_directory_that_lies_about_sizes(tmp_path: Path) -> None:
    """The central directory declares 12 MB packed where the file has a few hundred bytes."""
    path = rewritten(tmp_path / "x.npz", array_file("(4,)", b"\0" * 16), compression=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")
    content[place + 20 : place + 28] = struct.pack("<II", 12_000_000, 12_000_000)
    path.write_bytes(content)
    with pytest.raises(DataError, match="its directory claims more bytes than the file has"):
        read_samples(path, [IMAGE])


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")  # reading it would wait for ever
    with pytest.raises(DataError, match=r"pipe.npz is no regular file; give an .npz file"):
        read_samples(tmp_path / "pipe.npz", [IMAGE])
    with pytest.raises(DataError, match="no data file"):
        read_samples("x" * 5000, [IMAGE])
