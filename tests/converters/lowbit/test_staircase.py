from __future__ import annotations

import numpy as np

from tfkit import quantizers
from tfkit.converters.lowbit.staircase import thresholds


def test_thresholds_are_exact_to_the_last_bit() -> None:
    quantizer = quantizers.get("dorefa_a2")
    steps, values = thresholds(quantizer, quantizer.levels().values)  # type: ignore[misc]
    assert len(steps) == 3
    np.testing.assert_allclose(values, [0, 1 / 3, 2 / 3, 1], atol=1e-7)
    below = np.nextafter(steps, np.float32(-1))
    np.testing.assert_array_equal(np.asarray(quantizer(steps[None]))[0], values[1:])
    np.testing.assert_array_equal(np.asarray(quantizer(below[None]))[0], values[:-1])


def test_a_sign_parts_at_zero_and_negative_zero_is_positive() -> None:
    steps, values = thresholds(quantizers.get("ste_sign"), np.array([-1, 1]))  # type: ignore[misc]
    assert values.tolist() == [-1.0, 1.0]
    assert np.float32(-0.0) >= steps[0]


def test_what_falls_has_no_thresholds() -> None:
    assert thresholds(lambda x: -np.sign(x), np.array([-1, 1])) is None


def test_what_has_no_steps_has_no_thresholds() -> None:
    assert thresholds(lambda x: x, np.array([0, 1, 2])) is None
