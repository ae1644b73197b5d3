from __future__ import annotations

import numpy as np
import pytest

from helpers.quantizers import data, gradients
from tfkit import quantizers
from tfkit._errors import UsageError
from tfkit.quantizers.hwgq import half_wave_step

SEED = 36


def test_steps_are_those_of_the_paper() -> None:
    assert half_wave_step(2) == pytest.approx(0.538, abs=1e-3)
    assert half_wave_step(3) == pytest.approx(0.3217, abs=1e-3)


def test_no_other_step_is_closer_to_a_half_gaussian() -> None:
    x = np.abs(np.random.default_rng(SEED).normal(size=200000))

    def error(step: float) -> float:
        return float(np.square(x - step * np.clip(np.round(x / step), 1, 3)).mean())

    assert error(half_wave_step(2)) < min(error(0.50), error(0.58))


@pytest.mark.parametrize("backward", ["clipped", "log_tailed", "vanilla"])
def test_forward_and_backward(backward: str) -> None:
    x, upstream = data((6, 10), SEED)
    x = x * 1.5
    quantizer = quantizers.HWGQ(2, backward=backward)
    step = half_wave_step(2)
    top = 3 * step
    np.testing.assert_allclose(quantizer(x), (x > 0) * step * np.clip(np.round(x / step), 1, 3), rtol=1e-6)
    tail = {"clipped": 0 * x, "log_tailed": 1 / np.maximum(x - top + 1, 1), "vanilla": 1 + 0 * x}[backward]
    (dx,) = gradients(quantizer, x, upstream)
    slope = np.where(x <= 0, 0, np.where(x <= top, 1, tail))
    assert (x > top).any()
    np.testing.assert_allclose(dx, upstream * slope, rtol=1e-5, atol=1e-6, err_msg=f"seed {SEED}")


def test_unknown_backward_is_refused() -> None:
    with pytest.raises(UsageError, match="HWGQ takes backward 'clipped', 'log_tailed', 'vanilla', got 'tail'"):
        quantizers.HWGQ(2, backward="tail")
    with pytest.raises(UsageError, match="HWGQ takes 1 to 4 bits, got 5; more bits are linear: use 'lsq_a8'"):
        quantizers.HWGQ(5)
