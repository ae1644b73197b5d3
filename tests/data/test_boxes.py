"""Rectangles that training and evaluation look at."""

from __future__ import annotations

import numpy as np
import pytest

from tfkit.data._boxes import at_random, centred

SIZES = np.array([[100, 200], [200, 100], [37, 411], [1, 1], [5, 3000], [224, 224]] * 200)


@pytest.mark.parametrize("aspect", [1.0, 0.5, 2.0])
def test_random_boxes_lie_inside_and_have_the_papers_areas(aspect: float) -> None:
    boxes = at_random(SIZES, aspect, np.random.default_rng(4))
    assert (boxes[:, 2:] >= 1).all()
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= SIZES).all()
    ordinary = SIZES[:, 0] * SIZES[:, 1] == 20_000
    height, width = boxes[ordinary, 2].astype(float), boxes[ordinary, 3].astype(float)
    share, ratio = height * width / 20_000, width / height / aspect
    # Whole pixels: half a pixel of the shortest side, sqrt(0.08 * 20000 / (2 * 4 / 3)) = 24, is 2%.
    assert share.min() > 0.08 * 0.96
    assert 0.75 * 0.96 < ratio.min() < 0.8
    assert 1.25 < ratio.max() < 4 / 3 * 1.04
    assert len(np.unique(boxes[SIZES[:, 0] == 224], axis=0)) == 200


def test_boxes_reach_every_edge() -> None:
    sizes = np.full((2000, 2), 10)
    boxes = at_random(sizes, 1.0, np.random.default_rng(0))
    assert {0, 1, 5} <= set(boxes[:, 0])
    assert (boxes[:, 0] + boxes[:, 2]).max() == 10
    assert (boxes[:, 1] + boxes[:, 3]).max() == 10


def test_centre() -> None:
    # Half of what is left over, rounded down, on each side.
    expected = [[0, 50, 100, 100], [50, 0, 100, 100], [0, 187, 37, 37], [0, 0, 1, 1], [0, 1498, 5, 5], [0, 0, 224, 224]]
    np.testing.assert_array_equal(centred(SIZES[:6], 1.0, 1.0), expected)
    assert centred(np.array([[256, 256]]), 1.0, 0.875).tolist() == [[16, 16, 224, 224]]
    assert centred(np.array([[100, 100]]), 2.0, 1.0).tolist() == [[25, 0, 50, 100]]
