"""What every data set offers: sizes, arrays, and batches that seed and epoch decide."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from tfkit._errors import UsageError
from tfkit.data import Augmentation, Dataset
from tfkit.data._pipeline import Draws, in_parallel

SAMPLES, SIDE = 50, 6


def colours(augmentation: Augmentation | None = None) -> Dataset:
    rng = np.random.default_rng(0)
    x = rng.integers(1, 256, (SAMPLES + 7, SIDE, SIDE + 2, 3), dtype=np.uint8)
    y = np.arange(SAMPLES + 7) % 5
    return Dataset(x[:SAMPLES], y[:SAMPLES], x[SAMPLES:], y[SAMPLES:], 5, augmentation=augmentation)


def drawn(batches: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = zip(*((x.numpy(), y.numpy()) for x, y in batches), strict=True)
    return np.concatenate(x), np.concatenate(y)


def test_sizes_names_and_arrays() -> None:
    found = colours()
    assert (found.size("train"), found.size("test"), found.shape) == (SAMPLES, 7, (SIDE, SIDE + 2, 3))
    assert found.class_names == ("0", "1", "2", "3", "4")
    x, y = found.arrays("train", 3)
    np.testing.assert_array_equal(x, found.x_train[:3])
    np.testing.assert_array_equal(y, found.y_train[:3])
    assert len(found.arrays("test")[1]) == 7


def test_test_split_keeps_its_order_and_values() -> None:
    found = colours(Augmentation())
    x, y = drawn(found.batches("test", 3, seed=8, epoch=3, augment=True))
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(x, found.x_test)
    np.testing.assert_array_equal(y, found.y_test)


def test_training_split_is_shuffled_by_seed_and_epoch() -> None:
    found = colours()
    x, y = drawn(found.batches("train", 8, seed=5, epoch=2))
    order = Draws(5, 2, SAMPLES).order()
    assert sorted(order) == list(range(SAMPLES))
    np.testing.assert_array_equal(x, found.x_train[order])
    np.testing.assert_array_equal(y, found.y_train[order])
    others = [(5, 1), (4, 2), (2, 5), (-1, 0), (0, 0)]
    orders = {tuple(Draws(seed, epoch, SAMPLES).order()) for seed, epoch in [(5, 2), *others]}
    assert len(orders) == 1 + len(others)


def test_threads_keep_the_order() -> None:
    import tensorflow as tf

    def slow_at_first(number: np.int64) -> np.int64:
        time.sleep(0.2 if number % 4 == 0 else 0.0)  # the others overtake it
        return number

    mapped = in_parallel(tf.data.Dataset.range(16), lambda i: tf.numpy_function(slow_at_first, [i], tf.int64))
    assert [int(number) for number in mapped] == list(range(16))


def test_a_full_last_batch() -> None:
    found = colours()
    assert [len(x) for x, _ in found.batches("train", 16)] == [16, 16, 16, 2]
    assert [len(x) for x, _ in found.batches("train", 16, drop_remainder=True)] == [16, 16, 16]


@pytest.mark.parametrize("change", [Augmentation(pad=2, flip=True), Augmentation(pad=1, flip=False)])
def test_augmentation_against_numpy(change: Augmentation) -> None:
    found, draws = colours(change), Draws(3, 7, SAMPLES)
    x, _ = drawn(found.batches("train", 8, seed=3, epoch=7, augment=True))
    shifts, flips = draws.shifts(change.pad), draws.flips()
    assert {*shifts.ravel()} == set(range(2 * change.pad + 1))
    assert 0 < flips.sum() < SAMPLES
    for image, index in zip(x, draws.order(), strict=True):
        padded = np.pad(found.x_train[index], ((change.pad,) * 2, (change.pad,) * 2, (0, 0)))
        top, left = shifts[index]
        expected = padded[top : top + SIDE, left : left + SIDE + 2]
        if change.flip and flips[index]:
            expected = expected[:, ::-1]
        np.testing.assert_array_equal(image, expected, err_msg=f"seed 3, epoch 7, sample {index}")


def test_same_bits_with_any_number_of_threads() -> None:
    import tensorflow as tf

    found = colours(Augmentation())
    seen = set()
    for threads in (1, 2, 7):
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        batches = found.batches("train", 4, seed=1, epoch=1, augment=True).with_options(options)
        seen.add(b"".join(x.numpy().tobytes() + y.numpy().tobytes() for x, y in batches))
    assert len(seen) == 1


def test_without_augmentation_of_its_own_nothing_changes() -> None:
    found = colours()
    np.testing.assert_array_equal(
        drawn(found.batches("train", 8, augment=True))[0], drawn(found.batches("train", 8))[0]
    )


def test_wrong_calls() -> None:
    found = colours()
    for call in (found.size, found.arrays, lambda split: found.batches(split, 4)):
        with pytest.raises(UsageError, match="unknown split 'valid'; a data set has 'train' and 'test'"):
            call("valid")
    with pytest.raises(UsageError, match="batch size is 0"):
        found.batches("train", 0)
    with found.naming_errors():
        pass
