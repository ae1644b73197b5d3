from __future__ import annotations

import itertools

import numpy as np
import pytest

from helpers.keras import keras
from helpers.quantizers import built, gradients
from tfkit import quantizers
from tfkit._errors import UsageError
from tfkit.layers import QuantDense

SEED = 42


def power(w: float, highest: int, lowest: int) -> float:
    """Equation 4, one weight at a time."""
    values = [0.0, *(2.0**e for e in range(lowest, highest + 1))]
    for alpha, beta in itertools.pairwise(values):
        if (alpha + beta) / 2 <= abs(w) < 3 * beta / 2:
            return float(np.sign(w)) * beta
    return 0.0


def test_weights_become_powers_of_two_largest_first() -> None:
    w = np.random.default_rng(SEED).normal(size=(10, 8)).astype(np.float32)
    quantizer = built(quantizers.INQ(4), w)
    np.testing.assert_array_equal(quantizer(w), w)
    highest = int(np.floor(np.log2(4 / 3 * np.abs(w).max())))
    wanted = np.vectorize(lambda v: power(v, highest, highest + 1 - 4))(w)
    quantizer.fix(w, 0.5)
    fixed = quantizer.fixed.numpy() > 0
    assert fixed.sum() == 40
    assert np.abs(w[fixed]).min() >= np.abs(w[~fixed]).max()
    np.testing.assert_array_equal(quantizer(w), np.where(fixed, wanted, w), err_msg=f"seed {SEED}")
    upstream = np.ones_like(w)
    (dw,) = gradients(quantizer, w, upstream)
    np.testing.assert_array_equal(dw, ~fixed)
    moved = w + np.float32(0.3)
    quantizer.fix(moved, 1.0)
    assert quantizer.share == 1.0
    np.testing.assert_array_equal(quantizer(moved * 7)[fixed], wanted[fixed])
    assert set(np.unique(quantizer(w))) <= set(quantizer.levels().values)


def test_callback_fixes_along_its_schedule() -> None:
    model = keras.Sequential([keras.layers.Input((6,)), QuantDense(5, kernel_quantizer="inq_w5")])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    x = np.random.default_rng(SEED).normal(size=(32, 6)).astype(np.float32)
    shares: list[float] = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: shares.append(model.layers[0].kernel_quantizer.share)
    )
    schedule = quantizers.IncrementalQuantization({0: 0.5, 2: 0.75, 3: 1.0})
    model.fit(x, x[:, :5], epochs=5, verbose=0, callbacks=[schedule, note])
    np.testing.assert_allclose(shares, [0.5, 0.5, 0.75, 1, 1], atol=0.04)
    kernel = model.layers[0].kernel_quantizer.values.numpy()
    assert set(np.unique(kernel)) <= set(model.layers[0].kernel_quantizer.levels().values)


@pytest.mark.parametrize("schedule", [{}, {0: 0.5}, {0: 1.0, 1: 0.5}, {0: 0.0, 1: 1.0}])
def test_schedules_that_do_not_rise_to_one_are_refused(schedule: dict[int, float]) -> None:
    with pytest.raises(UsageError, match="the shares of an INQ schedule rise to 1, got"):
        quantizers.IncrementalQuantization(schedule)


def test_a_model_without_inq_is_named() -> None:
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)], name="plain")
    model.compile("sgd", "mse")
    with pytest.raises(UsageError, match="'plain' has no INQ kernel"):
        model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0, callbacks=[quantizers.IncrementalQuantization({0: 1.0})])
