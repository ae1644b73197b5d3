"""The generated task: seeded, balanced, beyond linear models, and harder as the knob turns."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tfkit.data import Dataset, load
from tfkit.data.shapes import CLASSES, generate

SEED = 0


def test_sizes_classes_and_range() -> None:
    found = load("shapes")
    assert found is load("shapes:0.5")
    assert (found.x_train.shape, found.x_test.shape) == ((20_000, 32, 32, 3), (4_000, 32, 32, 3))
    assert (found.x_train.dtype, found.y_train.dtype) == (np.uint8, np.int64)
    assert found.class_names == CLASSES
    assert np.bincount(found.y_train).tolist() == [2_000] * 10
    assert np.bincount(found.y_test).tolist() == [400] * 10
    assert np.bincount(found.y_train[:500]).min() > 25, "any beginning holds all classes"
    with pytest.raises(ValueError, match="read-only"):
        found.x_train[0] = 1


def test_seed_and_part_decide_every_image() -> None:
    x, y = generate(60, 0.5, SEED, part=0)
    again = generate(60, 0.5, SEED, part=0)
    np.testing.assert_array_equal(x, again[0])
    np.testing.assert_array_equal(y, again[1])
    for seed, part in ((SEED + 1, 0), (SEED, 1)):
        other = generate(60, 0.5, seed, part)[0]
        distances = np.abs(x[:, None].astype(np.int16) - other[None].astype(np.int16)).mean(axis=(2, 3, 4))
        assert distances.min() > 10, f"seed {seed}, part {part} repeats an image"


def draw(difficulty: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """1500 images to learn from, 1000 to test on."""
    return (*generate(1500, difficulty, SEED, 0), *generate(1000, difficulty, SEED, 1))


def pixels(x: np.ndarray) -> np.ndarray:
    return (x.reshape(len(x), -1) / 127.5 - 1).astype(np.float32)


def spectrum(x: np.ndarray) -> np.ndarray:
    """Amplitudes of the grey image's Fourier transform: what outline and texture leave wherever the shape is."""
    grey = x.astype(np.float32).mean(axis=3)
    return np.log1p(np.abs(np.fft.rfft2(grey - grey.mean(axis=(1, 2), keepdims=True)))).reshape(len(x), -1)


@pytest.mark.parametrize("difficulty", [0.0, 0.5])
def test_linear_models_fail(difficulty: float) -> None:
    from sklearn.linear_model import LogisticRegression

    x, y, x_test, y_test = draw(difficulty)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # twenty steps are enough for the verdict, not for convergence
        model = LogisticRegression(C=1e-3, max_iter=20).fit(pixels(x), y)
    # Chance is 0.1 with a standard deviation of 0.01; position alone lets a little through at the easy end.
    assert model.score(pixels(x_test), y_test) < 0.2, f"seed {SEED}"


def test_the_knob_is_monotone() -> None:
    """For a classifier that needs no training worth the name: the nearest mean spectrum."""
    from sklearn.neighbors import NearestCentroid

    scores = []
    for difficulty in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y, x_test, y_test = draw(difficulty)
        scores.append(NearestCentroid().fit(spectrum(x), y).score(spectrum(x_test), y_test))
    assert (np.diff(scores) < -0.04).all(), f"seed {SEED}: {scores}"  # 2.6 standard deviations of a score of 0.4
    assert scores[0] > 0.6
    assert scores[-1] < 0.2


def test_pixels_have_the_spectrum_of_scenes() -> None:
    """Amplitude falls with frequency (photographs: about 1/f) until the noise, which is flat, covers it."""
    x, _ = generate(500, 0.25, SEED, 0)
    grey = x.astype(np.float32).mean(axis=3)
    power = (np.abs(np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))) ** 2).mean(axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(32) * 32, np.fft.fftfreq(32) * 32))
    rings = [power[(frequency >= low) & (frequency < 2 * low)].mean() for low in (1, 2, 4, 8)]
    assert (np.diff(rings) < 0).all(), rings
    slope = np.polyfit(np.log([1, 2, 4, 8]), np.log(np.sqrt(rings)), 1)[0]
    assert -1.6 < slope < -0.6, slope


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_float_and_binary_networks_separate() -> None:
    from tfkit import models, training

    x, y = generate(5000, 0.5, SEED, 0)
    x_test, y_test = generate(1000, 0.5, SEED, 1)
    dataset = Dataset(x, y, x_test, y_test, 10)
    scores = {}
    for scheme in ("float32", "binary"):
        model = models.build("small_cnn", input_shape=(32, 32, 3), classes=10, scheme=scheme, seed=1)
        training.fit(model, dataset, epochs=5, batch_size=64, seed=1)
        scores[scheme] = training.accuracy(model, x_test, y_test)
    # Five epochs with Adam gave 0.74 and 0.58; logistic regression on pixels 0.12.
    assert scores["binary"] > 0.3, scores
    assert scores["float32"] > scores["binary"] + 0.06, scores  # four standard deviations of either
