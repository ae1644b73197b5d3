"""Folders of images: layout, decoding against independent values, broken files, augmentation, reproducibility."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import images
from tfkit._errors import DataError, UsageError
from tfkit.data import Dataset, load
from tfkit.data.image_folder import ImageFolder

SHAPE = (20, 24, 3)  # of the files that helpers.images.folder writes: nothing is resized


def test_train_and_test_folders(tmp_path: Path) -> None:
    for name in ("test", "val", "validation"):
        root = images.folder(tmp_path / name, {"train/ant": 3, "train/bee": 2, f"{name}/ant": 1, f"{name}/bee": 2})
        found = load(f"images:{root}", SHAPE)
        assert isinstance(found, Dataset)
        assert (found.classes, found.class_names, found.shape) == (2, ("ant", "bee"), SHAPE)
        assert (found.size("train"), found.size("test")) == (5, 3)
        assert sorted(found.y_train.tolist()) == [0, 0, 0, 1, 1]
        x, y = found.arrays("test")
        assert (x.dtype, y.dtype) == (np.uint8, np.int64)
        expected = {0: [images.noise(5, 20, 24)], 1: [images.noise(6, 20, 24), images.noise(7, 20, 24)]}
        for image, label in zip(x, y, strict=True):
            assert any(np.array_equal(image, other) for other in expected[int(label)])


def test_test_folder_is_preferred_and_an_unlabelled_one_is_not(tmp_path: Path) -> None:
    images.folder(tmp_path, {"train/a": 2, "train/b": 2, "test": 3, "val/a": 1, "val/b": 1})
    assert ImageFolder(tmp_path, SHAPE).size("test") == 2
    images.folder(tmp_path, {"test/a": 1})
    assert ImageFolder(tmp_path, SHAPE).size("test") == 1


def test_a_fixed_fifth_of_each_class_is_kept_for_testing(tmp_path: Path) -> None:
    images.folder(tmp_path, {"a": 10, "b": 5, "c": 1})
    found = ImageFolder(tmp_path, SHAPE)
    assert np.bincount(found.y_test).tolist() == [2, 1]
    assert np.bincount(found.y_train).tolist() == [8, 4, 1]
    both = np.concatenate([found.x_train, found.x_test])
    assert len(np.unique(both.reshape(16, -1), axis=0)) == 16
    np.testing.assert_array_equal(ImageFolder(tmp_path, SHAPE).x_test, found.x_test)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    images.folder(tmp_path, {"train": 5, "plane": 5})
    assert ImageFolder(tmp_path, SHAPE).class_names == ("plane", "train")


def test_odd_names_links_nesting_and_hidden_files(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    content = images.png(images.noise(0, 20, 24))
    odd = [b"it's", b'"quoted"', b"two words", b"line\nbreak", b"\xff\xfe", "ünï".encode(), b"$(touch victim)", b"-o"]
    for name in odd:
        images.write_raw(root + b"/train/" + name + b"/deep/er/" + name + b".PNG", content)
        images.write_raw(root + b"/test/" + name + b"/" + name + b".jpeg", content)
    images.write_raw(root + b"/train/it's/.hidden.png", b"no image")
    images.write_raw(root + b"/train/.hidden/x.png", b"no image")
    images.write_raw(root + b"/train/__MACOSX/x.png", b"no image")
    images.write_raw(root + b"/train/it's/notes.txt", b"no image")
    os.symlink(root + b"/train", root + b"/train/it's/round")  # a circle
    os.symlink(root + b"/train/it's/deep", root + b"/train/it's/again")
    found = ImageFolder(tmp_path, SHAPE)
    # The circle leads into the other classes once; the second name of a folder that was seen adds nothing.
    assert found.size("train") == 2 * len(odd) - 1
    assert found.size("test") == len(odd)
    assert found.class_names == (
        '"quoted"', "$(touch victim)", "-o", "it's", "line\\nbreak", "two words", "ünï", "\\xff\\xfe"
    )  # fmt: skip
    np.testing.assert_array_equal(found.x_test, np.stack([images.noise(0, 20, 24)] * len(odd)))
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "holds no class folders; a classifier needs two or more: DIR/CLASS/IMAGE"),
        ({".": 3}, "holds no class folders, and 3 images outside of any"),
        ({"a": 3}, r"holds one class folder \(a\); a classifier needs two"),
        ({"a": 3, "b": 0, "c": 0}, "has classes without images: b, c; remove the folders or add images"),
        ({"train/a": 3, "train/b": 1, "test/a": 1, "test/z": 1}, "has classes that .*train does not have: z"),
        ({"train/a": 3, "train/b": 1, "test/a": 0}, "test holds no images in its class folders"),
        ({"a": 1, "b": 1}, "no class has two images"),
    ],
)
def test_layouts_that_do_not_fit(counts: dict[str, int], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        ImageFolder(images.folder(tmp_path, counts), SHAPE)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist; give a folder of images"):
        load(f"images:{tmp_path / 'nowhere'}")
    with pytest.raises(UsageError, match="'images' needs a folder: images:DIR"):
        load("images")
    with pytest.raises(UsageError, match=r"cannot be read as 8x8x2; .*3 channels \(RGB\) or 1 \(grey\)"):
        ImageFolder(images.folder(tmp_path, {"a": 2, "b": 2}), (8, 8, 2))


def test_broken_files_are_named_at_once(tmp_path: Path) -> None:
    images.folder(tmp_path, {"a": 3, "b": 3})
    whole = (tmp_path / "a" / "0.png").read_bytes()
    (tmp_path / "a" / "0.png").write_bytes(whole[:100])
    (tmp_path / "b" / "odd\n.jpg").write_text("hello")
    with pytest.raises(DataError, match="2 of 7 images cannot be used") as raised:
        ImageFolder(tmp_path, SHAPE)
    assert "a/0.png: truncated" in str(raised.value)
    assert "b/odd\\n.jpg: no JPEG, PNG, BMP or GIF" in str(raised.value)


def test_damage_that_only_decoding_finds_is_named(tmp_path: Path) -> None:
    images.folder(tmp_path, {"train/a": 3, "train/b": 3, "test/a": 1, "test/b": 1})
    victim = os.fsencode(tmp_path) + b"/train/b/\xff.png"
    content = bytearray(images.png(images.noise(9, 20, 24)))
    content[60] ^= 0xFF  # in the compressed pixels
    images.write_raw(victim, bytes(content))
    found = ImageFolder(tmp_path, SHAPE)
    assert len(found.arrays("test")[0]) == 2
    message = r"train/b/\\xff.png cannot be decoded"
    with pytest.raises(DataError, match=message):
        found.arrays("train")
    with pytest.raises(DataError, match=message), found.naming_errors():
        for _ in found.batches("train", 2, augment=True):
            pass
    with pytest.raises(ZeroDivisionError, match="division"), found.naming_errors():
        1 / 0  # noqa: B018
    (tmp_path / "test" / "a" / "0.png").unlink(missing_ok=True)
    for path in (tmp_path / "test").rglob("*.png"):
        path.unlink()
    with pytest.raises(DataError, match=r"test/./.\.png cannot be decoded"):
        found.arrays("test")


def test_kinds_of_files_and_channels(tmp_path: Path) -> None:
    image, grey = images.smooth(1, 20, 24), images.noise(2, 20, 24, 1)
    for name, content in {
        "a.png": images.png(image), "b.bmp": images.bmp(image), "c.bmp": images.bmp(image, 32),
        "d.jpg": images.jpeg(image), "e.png": images.png(grey), "f.gif": images.GIF,
    }.items():  # fmt: skip
        for split in ("train", "test"):
            images.write_raw(os.fsencode(tmp_path / split / name[0] / name), content)
    found = ImageFolder(tmp_path, SHAPE)
    x = {name: found.x_test[list(found.y_test).index(number)] for number, name in enumerate("abcdef")}
    for name in "abc":
        np.testing.assert_array_equal(x[name], image)
    assert np.abs(x["d"].astype(int) - image).max() <= 3, "JPEG of quality 98"
    np.testing.assert_array_equal(x["e"], np.repeat(grey, 3, axis=2))
    np.testing.assert_array_equal(x["f"], np.full(SHAPE, 255))
    as_grey = ImageFolder(tmp_path, (20, 24, 1))
    np.testing.assert_array_equal(as_grey.x_test[list(as_grey.y_test).index(4)], grey)
    # ITU-R BT.601, the weights of every grey conversion.
    expected = np.rint(image @ np.array([0.2989, 0.587, 0.114]))
    assert np.abs(as_grey.x_test[list(as_grey.y_test).index(0), ..., 0] - expected).max() <= 1


def test_evaluation_sees_the_centre(tmp_path: Path) -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[6:94, 56:144] = 200  # 87.5% of the shorter side, in the middle
    for name in ("train/a/0", "train/b/0", "test/a/0"):
        images.write_raw(os.fsencode(tmp_path / f"{name}.png"), images.png(image))
    assert (ImageFolder(tmp_path, (96, 96, 3)).x_test == 200).all()
    small = ImageFolder(tmp_path, (50, 100, 3)).x_test[0]  # still above 64 pixels
    assert (small[8, 8] == 0).all()
    image[:], image[:, 50:150] = 0, 90
    images.write_raw(os.fsencode(tmp_path / "test/a/0.png"), images.png(image))
    assert (ImageFolder(tmp_path, (32, 32, 3)).x_test == 90).all(), "small networks see all that fits"


def bits(batches: Any) -> list[tuple[bytes, bytes]]:
    return [(x.numpy().tobytes(), y.numpy().tobytes()) for x, y in batches]


def with_threads(batches: Any, count: int) -> Any:
    import tensorflow as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = count
    return batches.with_options(options)


@pytest.mark.parametrize("shape", [(20, 24, 3), (72, 80, 3)], ids=["shifted", "cropped"])
def test_seed_and_epoch_decide_every_bit(shape: tuple[int, int, int], tmp_path: Path) -> None:
    found = ImageFolder(images.folder(tmp_path, {"a": 20, "b": 20}, (90, 100)), shape)
    first = bits(found.batches("train", 8, seed=3, epoch=2, augment=True))
    for threads in (1, 2, 7):
        again = ImageFolder(tmp_path, shape).batches("train", 8, seed=3, epoch=2, augment=True)
        assert bits(with_threads(again, threads)) == first, f"seed 3, epoch 2, {threads} threads"
    for seed, epoch in ((3, 3), (4, 2)):
        assert bits(found.batches("train", 8, seed=seed, epoch=epoch, augment=True)) != first
    plain = bits(found.batches("train", 8, seed=3, epoch=2))
    assert [y for _, y in plain] == [y for _, y in first], "augmentation leaves the order alone"
    assert [x for x, _ in plain] != [x for x, _ in first]
    held_out = bits(found.batches("test", 8, augment=True))
    assert held_out == bits(found.batches("test", 8, seed=9, epoch=9)), "the test split is never changed"


def test_random_crops_are_parts_of_the_image(tmp_path: Path) -> None:
    """A colour gradient, cropped, resized and mirrored, stays within its values; every epoch sees another part."""
    image = images.smooth(7, 100, 140)
    for name in ("train/a/0", "train/b/0", "test/a/0"):
        images.write_raw(os.fsencode(tmp_path / f"{name}.png"), images.png(image))
    found = ImageFolder(tmp_path, (80, 80, 3))
    low, high = (edge.astype(float) for edge in (image.min(axis=(0, 1)), image.max(axis=(0, 1))))
    seen = set()
    for epoch in range(3):
        for x, _ in found.batches("train", 2, epoch=epoch, augment=True):
            assert x.shape == (2, 80, 80, 3)
            assert (x.numpy() >= low).all()
            assert (x.numpy() <= high).all()
            seen |= {part.tobytes() for part in x.numpy()}
    assert len(seen) == 6


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ImageFolder(images.folder(tmp_path, {"a": 5, "b": 5}), SHAPE)
    monkeypatch.setattr("tfkit.data.image_folder.MAX_BYTES", 3 * 20 * 24 * 3)
    assert len(found.arrays("train", 3)[0]) == 3
    with pytest.raises(DataError, match=r"8 images of 20x24x3 take .* of memory; ask for fewer"):
        found.x_train  # noqa: B018
