"""Noise-to-signal ratios against what theory says of normally distributed values."""

from __future__ import annotations

import numpy as np
import pytest

from tfkit.tradeoffs.advise import risk

SEED = 3


@pytest.fixture(scope="module")
def normal() -> np.ndarray:
    return np.random.default_rng(SEED).standard_normal((20_000, 8))


def ratio(values: np.ndarray, rounded: np.ndarray) -> float:
    return float(((values - rounded) ** 2).mean() / (values**2).mean())


def test_signs_with_their_mean_magnitude(normal: np.ndarray) -> None:
    """1 - 2 / pi: what one bit of a normal distribution leaves."""
    assert ratio(normal, risk.binary_weights(normal)) == pytest.approx(1 - 2 / np.pi, abs=0.01)
    assert ratio(normal, risk.binary_inputs(normal.ravel()).reshape(normal.shape)) == pytest.approx(0.363, abs=0.01)
    assert len(np.unique(risk.binary_weights(normal)[:, 0])) == 2


def test_signs_of_what_is_never_negative_are_about_its_mean(normal: np.ndarray) -> None:
    positive = np.abs(normal).ravel()
    found = risk.binary_inputs(positive)
    assert len(np.unique(found)) == 2
    assert found.mean() == pytest.approx(positive.mean(), rel=0.2)


def test_two_bits(normal: np.ndarray) -> None:
    """Max 1960, table I: four equal steps of a normal distribution leave 0.119; these four are not symmetric."""
    weights = risk.few_bit_weights(normal)
    assert len(np.unique(weights)) == 4
    assert 0.119 < ratio(normal, weights) < 0.25
    inputs = risk.few_bit_inputs(np.maximum(normal, 0).ravel())
    assert len(np.unique(inputs)) == 4
    assert ratio(np.maximum(normal, 0).ravel(), inputs) < 0.1


def test_int8(normal: np.ndarray) -> None:
    """A step d errs by d² / 12."""
    step = np.abs(normal).max(0) / 127
    assert ratio(normal, risk.int8_weights(normal)) == pytest.approx(float((step**2 / 12).mean()), rel=0.05)
    values = normal.ravel()
    step = (values.max() - values.min()) / 255
    assert ratio(values, risk.int8_inputs(values)) == pytest.approx(step**2 / 12, rel=0.05)


@pytest.mark.parametrize("values", [np.zeros((4, 2)), np.full((4, 2), 3.0)])
def test_constants_do_no_harm(values: np.ndarray) -> None:
    for rounded in (risk.int8_weights, risk.few_bit_weights, risk.binary_weights):
        assert np.isfinite(rounded(values)).all()
    for rounded in (risk.int8_inputs, risk.few_bit_inputs, risk.binary_inputs):
        assert np.isfinite(rounded(values.ravel())).all()


def test_decibels() -> None:
    assert risk.decibels(0.1) == pytest.approx(10)
    assert risk.decibels(0.0) == float("inf")
