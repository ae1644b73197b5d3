"""Kernels that become smaller windows and convolutions that become grouped ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.pruning import begun, convolutional, shake
from tfkit._errors import ModelError, UsageError
from tfkit.counting import count
from tfkit.pruning.cutting import cut, cut_again
from tfkit.pruning.psp import PSP

SEED = 61


def pruning(structure: str, seed: int = SEED) -> Any:
    return begun(shake(convolutional(seed), seed), PSP(structure=structure))


def images() -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(4, 8, 8, 1)).astype(np.float32)


def test_windows_lose_the_side_that_is_worth_least() -> None:
    found = pruning("kernel")
    wrapper = next(wrapper for wrapper in found.wrappers if wrapper.layer.name == "second")
    alpha = np.ones((3, 3))
    alpha[:, 0] = alpha[:, 2] = 0.1  # columns matter less than rows
    wrapper.parameter.assign(alpha.ravel())
    model = found.method.finish(found)
    whole = count(model).macs
    cost = {layer.name: layer.macs for layer in count(model).layers}
    small, decision = cut(found.network, 1 - 0.5 * cost["second"] / whole)
    shapes = decision["shapes"]
    assert shapes["second"] == [3, 1]
    assert shapes["stem"] == [3, 3]
    assert small.get_layer("second").kernel.shape[:2] == (3, 1)
    assert count(small).macs == whole - cost["second"] * 2 // 3
    # What is gone was zero in the model that the same shapes were cut from.
    kernel = model.get_layer("second").kernel
    values = kernel.numpy()
    values[:, [0, 2]] = 0
    kernel.assign(values)
    np.testing.assert_allclose(small(images()), model(images()), rtol=1e-4, atol=1e-4)


def test_blocks_become_groups() -> None:
    found = begun(shake(convolutional(SEED), SEED), PSP(structure="group", group=4))
    whole = count(found.method.finish(found)).macs
    small, decision = cut(found.network, 0.8)
    shapes = decision["shapes"]
    assert set(shapes) == {"first", "second"}
    assert count(small).macs <= 0.8 * whole
    for name, (groups,) in shapes.items():
        assert small.get_layer(name).groups == groups
    assert max(groups for (groups,) in shapes.values()) > 1


@pytest.mark.parametrize("structure", ["kernel", "group"])
def test_the_cut_can_be_made_again(structure: str) -> None:
    small, decision = cut(pruning(structure).network, 0.8)
    other = pruning(structure, SEED + 1)
    again = cut_again(other.method.finish(other), decision)
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in small.weights]


def test_what_cannot_be_reached_or_does_not_fit() -> None:
    with pytest.raises(UsageError, match=r"cannot come down to 1.0% of its MACs by its windows; the least is"):
        cut(pruning("kernel").network, 0.01)
    with pytest.raises(UsageError, match="has no structured method at work"):
        cut(convolutional(SEED), 0.5)
    for decision in ({"shapes": {"nope": [1, 1]}}, {"shapes": {"first": "ab"}}, {"keep": {"first": [99]}}, {}):
        with pytest.raises(ModelError, match="does not fit the model"):
            cut_again(convolutional(SEED), decision)
