from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import built, data, gradients
from tfkit import quantizers
from tfkit.quantizers import _fused, abc_net, lq_net
from tfkit.quantizers._fused import has_compiler, nearest_level
from tfkit.quantizers.gradients import PSEUDO_GRADIENTS

SEED = 52


@pytest.mark.parametrize("count", [2, 5, 16])
def test_the_nearest_level_by_trying_all(count: int) -> None:
    x, _ = data((3, 7, 5), SEED)
    levels = np.sort(np.random.default_rng(SEED).uniform(-1.5, 1.5, count)).astype(np.float32)
    found = nearest_level(x, levels, PSEUDO_GRADIENTS["clipped"]).numpy()
    distances = np.abs(x[..., None] - levels)
    assert set(np.unique(found)) <= set(levels), "levels come out as they are, to the bit"
    np.testing.assert_allclose(np.abs(found - x), distances.min(-1), rtol=1e-6, atol=1e-7, err_msg=f"seed {SEED}")


def test_a_midpoint_belongs_to_the_lower_level() -> None:
    middle = np.float32(0.25)
    x = np.array([middle, np.nextafter(middle, np.float32(1))])
    found = nearest_level(x, np.float32([0.0, 0.5]), PSEUDO_GRADIENTS["tanh"])
    assert found.numpy().tolist() == [0.0, 0.5]


@pytest.mark.parametrize("name", ["clipped", "tanh", "identity"])
@pytest.mark.parametrize("bits", [1, 3])
def test_with_and_without_a_compiler(name: str, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training steps give the same, compiled or op by op: values, gradients and the learned basis."""
    x, upstream = data((4, 6, 3), SEED)
    found = []
    for compiles in (True, False):
        monkeypatch.setattr(lq_net, "has_compiler", lambda compiles=compiles: compiles)
        quantizer = built(quantizers.LQActivations(bits, pseudo_gradient=name), x)
        (dx,) = gradients(quantizer, x, upstream, training=True)
        found.append((quantizer(x, training=True), dx, quantizer.basis.numpy()))
    for compiled, plain in zip(*found, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-6, atol=1e-6, err_msg=f"seed {SEED}")


@pytest.mark.parametrize("name", ["clipped", "approx_sign"])
def test_sums_of_signs_with_and_without_a_compiler(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, upstream = data((4, 6, 3), SEED)
    found = []
    for compiles in (True, False):
        monkeypatch.setattr(abc_net, "has_compiler", lambda compiles=compiles: compiles)
        quantizer = built(quantizers.ABCActivations(3, pseudo_gradient=name), x)
        quantizer.shifts.assign([0.1, 0.5, 0.9])
        quantizer.scales.assign([0.2, 0.3, 0.7])
        found.append([quantizer(x, training=True), *gradients(quantizer, x, upstream, training=True)])
        assert len(found[-1]) == 4
    for compiled, plain in zip(*found, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-5, err_msg=f"seed {SEED}")


def test_there_is_a_compiler_here() -> None:
    assert has_compiler()


def test_one_function_serves_all_layers() -> None:
    assert _fused._select(4) is _fused._select(4)
    assert _fused._pass_on(PSEUDO_GRADIENTS["clipped"]) is _fused._pass_on(PSEUDO_GRADIENTS["clipped"])
