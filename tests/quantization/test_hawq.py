from __future__ import annotations

import numpy as np
import pytest

from helpers.keras import keras
from tfkit._errors import UsageError
from tfkit.layers import QuantDense
from tfkit.quantization import Sensitivity, bit_widths, hessian_ranking

SEED = 51


def test_eigenvalues_of_least_squares_are_known() -> None:
    """For outputs x_iᵀw_i summed, the Hessian of the mean square is 2/n XᵢᵀXᵢ for each layer's block."""
    rng = np.random.default_rng(SEED)
    sizes = {"flat": (0.3, 6), "steep": (3.0, 4), "middle": (1.0, 9)}
    xs = [scale * rng.normal(size=(40, size)) for scale, size in sizes.values()]
    inputs = [keras.layers.Input((size,)) for _, size in sizes.values()]
    outputs = [keras.layers.Dense(1, use_bias=False, name=name)(x) for name, x in zip(sizes, inputs, strict=True)]
    model = keras.Model(inputs, keras.layers.Add()(outputs))
    model.compile("sgd", "mse")
    batch = [x.astype(np.float32) for x in xs]
    found = hessian_ranking(model, batch, rng.normal(size=(40, 1)).astype(np.float32), iterations=500, tolerance=1e-7)
    wanted = {name: float(np.linalg.eigvalsh(2 / 40 * x.T @ x)[-1]) for name, x in zip(sizes, xs, strict=True)}
    for one in found:
        assert one.eigenvalue == pytest.approx(wanted[one.layer], rel=1e-3), f"seed {SEED}"
    assert [one.layer for one in found] == ["steep", "middle", "flat"]


def test_bits_follow_the_ranking_within_the_budget() -> None:
    ranking = [
        Sensitivity("a", "kernel", 100, 50.0),
        Sensitivity("b", "kernel", 100, 9.0),
        Sensitivity("c", "kernel", 800, 8),
    ]
    widths = bit_widths(ranking, average=3.0)
    assert widths == {"a": 8, "b": 4, "c": 2}
    assert sum(widths[one.layer] * one.weights for one in ranking) <= 3.0 * 1000
    assert set(bit_widths(ranking, average=8.0).values()) == {8}
    with pytest.raises(UsageError, match=r"1\.5 bits per weight are below the fewest of the choices, 2"):
        bit_widths(ranking, average=1.5)


def test_what_cannot_be_ranked_is_named() -> None:
    model = keras.Sequential([keras.layers.Input((3,)), QuantDense(2, kernel_quantizer="lsq_w2", name="packed")])
    x, y = np.ones((2, 3), np.float32), np.ones((2, 2), np.float32)
    with pytest.raises(UsageError, match="'packed' has a quantized kernel"):
        hessian_ranking(model, x, y, loss=keras.losses.mse)
    plain = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(UsageError, match="say which loss to look at"):
        hessian_ranking(plain, x, y)
