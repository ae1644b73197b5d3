from __future__ import annotations

import numpy as np
import pytest

from tfkit.pruning.thresholds import largest, largest_of_all

SEED = 3


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_exactly_the_smallest_go(share: float) -> None:
    scores = np.random.default_rng(SEED).normal(size=(7, 9))
    mask = largest(scores, share)
    assert int((mask == 0).sum()) == round(share * 63)
    if 0 < share < 1:
        assert scores[mask == 0].max() < scores[mask == 1].min(), f"seed {SEED}"


def test_of_equal_values_as_many_go_as_asked() -> None:
    assert largest(np.ones((4, 5)), 0.75).sum() == 5


def test_one_threshold_for_all_and_nobody_loses_everything() -> None:
    scores = {"small": np.array([0.1, 0.2, 0.3]), "large": np.arange(1.0, 8.0).reshape(1, 7)}
    masks = largest_of_all(scores, 0.4)
    np.testing.assert_array_equal(masks["small"], [0, 0, 1])
    np.testing.assert_array_equal(masks["large"], [[0, 0, 1, 1, 1, 1, 1]])
