"""ThiNet, DPP and optimal brain surgeon against NumPy."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from helpers.keras import keras
from helpers.pruning import convolutional, dense, shake
from tfkit._errors import UnsupportedError, UsageError
from tfkit.counting import count
from tfkit.pruning import sparsity
from tfkit.pruning.cutting import without
from tfkit.pruning.dpp import DPP, sample_k_dpp
from tfkit.pruning.obs import OptimalBrainSurgeon, surgery
from tfkit.pruning.thinet import ThiNet, removal_order

SEED = 41
layers = keras.layers


def images(number: int) -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(number, 8, 8, 1)).astype(np.float32)


def test_thinet_removes_what_the_sums_miss_least() -> None:
    sums = np.random.default_rng(SEED).normal(size=(50, 7)) * np.arange(1, 8)
    removed: list[int] = []
    for chosen in removal_order(sums):
        costs = {c: float(np.sum(sums[:, [*removed, c]].sum(1) ** 2)) for c in range(7) if c not in removed}
        assert chosen == min(costs, key=lambda c: costs[c]), f"seed {SEED}"
        removed.append(int(chosen))


def test_thinet_on_a_dense_layer() -> None:
    """Least squares: with one output the factors make the kept terms the best approximation of the sum."""
    model = shake(dense((6, 8, 1), SEED), SEED)
    x = np.random.default_rng(SEED).normal(size=(128, 6)).astype(np.float32)
    smaller, keep = ThiNet(positions=10_000).reduced(model, x, macs=0.7, multiple_of=1, layers="all")
    assert keep is not None
    w1, b1, w2, b2 = (weight.numpy().astype(float) for weight in model.weights)
    terms = np.maximum(x @ w1 + b1, 0) * w2[:, 0]
    kept = keep["d1"]
    assert len(kept) < 8
    factors = np.linalg.lstsq(terms[:, kept], terms.sum(1), rcond=None)[0]
    expected = np.zeros(8)
    expected[kept] = w2[kept, 0] * factors
    np.testing.assert_allclose(smaller.get_layer("d2").kernel.numpy()[:, 0], expected, rtol=1e-2, atol=1e-3)
    small, _ = without(smaller, keep)
    np.testing.assert_allclose(small(x), terms[:, kept] @ factors[:, np.newaxis] + b2, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("method", [ThiNet(), DPP()], ids=lambda method: method.name)
def test_a_channel_that_is_a_copy_is_made_up_for(method: Any) -> None:
    """Half of the channels are copies of the other half: nothing is lost when they go."""
    model = shake(dense((6, 8, 5), SEED), SEED)
    first, second = model.get_layer("d1"), model.get_layer("d2")
    rng = np.random.default_rng(SEED)
    w, b = rng.normal(size=(6, 4)), rng.normal(size=4)
    first.set_weights([np.concatenate([w, w], 1), np.concatenate([b, b])])
    x = rng.normal(size=(256, 6)).astype(np.float32)
    if method.name == "thinet":  # a factor per channel cannot turn one reader's weights into another's
        v = rng.normal(size=(4, 5))
        second.set_weights([np.concatenate([v, v]), np.zeros(5)])
    smaller, keep = method.reduced(model, x, macs=0.5, multiple_of=1, layers="all")
    small, _ = without(smaller, keep)
    assert count(small).macs * 2 <= count(model).macs
    kept = {channel % 4 for channel in keep["d1"]}
    if method.name == "dpp":
        assert kept == {0, 1, 2, 3}, f"a diverse set has no copies; seed {SEED}"
        np.testing.assert_allclose(small(x), model(x), rtol=1e-3, atol=1e-3)
    else:
        np.testing.assert_allclose(small(x), smaller(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", [ThiNet(), DPP()], ids=lambda method: method.name)
def test_a_convolutional_network_is_halved(method: Any) -> None:
    model = shake(convolutional(SEED), SEED)
    smaller, keep = method.reduced(model, images(64), macs=0.5, multiple_of=1, layers="all")
    small, _ = without(smaller, keep)
    assert count(small).macs <= 0.5 * count(model).macs
    x = images(8)
    np.testing.assert_allclose(small(x), smaller(x), rtol=1e-3, atol=1e-3)
    # Made up for, the outputs are nearer to the whole network's than without.
    plain, _ = without(model, keep)
    whole = np.asarray(model(x))
    assert np.mean((np.asarray(small(x)) - whole) ** 2) < np.mean((np.asarray(plain(x)) - whole) ** 2), f"seed {SEED}"


def test_k_dpp_draws_sets_in_proportion_to_their_determinants() -> None:
    rng = np.random.default_rng(SEED)
    factor = rng.normal(size=(5, 5))
    kernel = factor @ factor.T
    weight = {pair: float(np.linalg.det(kernel[np.ix_(pair, pair)])) for pair in combinations(range(5), 2)}
    drawn: dict[tuple[int, ...], int] = dict.fromkeys(weight, 0)
    number = 6000
    for _ in range(number):
        drawn[tuple(int(item) for item in sample_k_dpp(kernel, 2, rng))] += 1
    total = sum(weight.values())
    for pair, times in drawn.items():
        p = weight[pair] / total
        assert abs(times / number - p) < 4 * np.sqrt(p * (1 - p) / number) + 1e-3, f"{pair}, seed {SEED}"


@pytest.mark.parametrize("k", [1, 3, 6])
def test_k_dpp_gives_k_different_items(k: int) -> None:
    items = sample_k_dpp(np.eye(6) + 0.5, k, np.random.default_rng(SEED))
    assert len(set(items.tolist())) == k


def test_surgery_is_the_least_costly_change() -> None:
    """Against the constrained minimum of δwᵀ H δw / 2 with w_q + δw_q = 0, solved by Lagrange's method."""
    rng = np.random.default_rng(SEED)
    rows = rng.normal(size=(30, 6))
    hessian = rows.T @ rows
    w = rng.normal(size=6)
    expected, zero = w.copy(), []
    for _ in range(3):
        best: tuple[float, np.ndarray, int] | None = None
        for q in (q for q in range(6) if q not in zero):
            fixed = [*zero, q]
            system = np.zeros((6 + len(fixed), 6 + len(fixed)))
            system[:6, :6] = hessian
            for number, place in enumerate(fixed):
                system[6 + number, place] = system[place, 6 + number] = 1
            target = np.concatenate([np.zeros(6), -expected[fixed]])
            change = np.linalg.solve(system, target)[:6]
            cost = float(change @ hessian @ change / 2)
            if best is None or cost < best[0]:
                best = (cost, change, q)
        assert best is not None
        expected, zero = expected + best[1], [*zero, best[2]]
    np.testing.assert_allclose(
        surgery(w, np.linalg.inv(hessian), 3), np.where(np.isin(range(6), zero), 0, expected), atol=1e-9
    )


def test_several_at_once_are_jointly_made_up_for() -> None:
    rng = np.random.default_rng(SEED)
    rows = rng.normal(size=(40, 8))
    hessian, w = rows.T @ rows, rng.normal(size=8)
    found = surgery(w, np.linalg.inv(hessian), 4, at_once=4)
    left = np.flatnonzero(found)
    assert len(left) == 4
    # Given which are zero, the rest is least squares.
    expected = np.linalg.lstsq(rows[:, left], rows @ w, rcond=None)[0]
    np.testing.assert_allclose(found[left], expected, rtol=1e-8)


def test_obs_beats_magnitude_without_training() -> None:
    model = shake(convolutional(SEED), SEED)
    x = images(64)
    pruned, keep = OptimalBrainSurgeon(0.5, exact=100, at_once=8).reduced(model, x, macs=1, multiple_of=1, layers="all")
    assert keep is None
    sizes = {name: pruned.get_layer(name).kernel.shape.num_elements() for name in sparsity(pruned)}
    zeros = sum(share * sizes[name] for name, share in sparsity(pruned).items())
    assert 0.5 <= zeros / sum(sizes.values()) < 0.53
    plain = keras.models.clone_model(model)
    plain.set_weights([w * (np.abs(w) >= np.median(np.abs(w))) if w.ndim > 1 else w for w in model.get_weights()])
    whole = np.asarray(model(x))
    assert np.mean((np.asarray(pruned(x)) - whole) ** 2) < np.mean((np.asarray(plain(x)) - whole) ** 2), f"seed {SEED}"


def test_obs_with_the_hessian_of_the_loss() -> None:
    model = shake(dense((5, 4), SEED), SEED)
    x = np.random.default_rng(SEED).normal(size=(20, 5)).astype(np.float32)
    method = OptimalBrainSurgeon(0.25, exact=20, at_once=1, samples=20)
    pruned, _ = method.reduced(model, x, macs=1, multiple_of=1, layers="all")
    w, b = (weight.numpy().astype(float) for weight in model.weights)
    z = np.exp(x @ w + b)
    p = z / z.sum(1, keepdims=True)
    hessian = np.zeros((20, 20))
    for row, q in zip(x.astype(float), p, strict=True):
        hessian += np.kron(np.outer(row, row), np.diag(q) - np.outer(q, q)) / 20
    inverse = np.linalg.inv(hessian + method.damping * np.mean(np.diag(hessian)) * np.eye(20))
    flat, gone = w.ravel().copy(), []
    for _ in range(5):
        cost = np.array([np.inf if k in gone else flat[k] ** 2 / (2 * inverse[k, k]) for k in range(20)])
        k = int(np.argmin(cost))
        flat -= flat[k] / inverse[k, k] * inverse[:, k]
        inverse = inverse - np.outer(inverse[:, k], inverse[k]) / inverse[k, k]
        gone.append(k)
        flat[gone] = 0
    np.testing.assert_allclose(pruned.get_layer("d1").kernel.numpy().ravel(), flat, rtol=1e-2, atol=1e-3)


class Doubled(layers.Layer):  # type: ignore[misc, name-defined]
    """A layer of the user's that nobody registered."""

    def call(self, x: Any) -> Any:
        return 2 * x


@pytest.mark.parametrize("method", [ThiNet(), DPP(), OptimalBrainSurgeon()], ids=lambda method: method.name)
def test_layers_of_the_users_are_kept(method: Any) -> None:
    inputs = layers.Input((6,))
    x = layers.Dense(4, name="read")(Doubled(name="mine")(layers.Dense(5, name="kept")(inputs)))
    x = layers.Dense(3)(layers.Dense(8, "relu", name="less")(layers.ReLU()(x)))
    model = shake(keras.Model(inputs, x), SEED)
    x = np.random.default_rng(SEED).normal(size=(16, 6)).astype(np.float32)
    smaller, keep = method.reduced(model, x, macs=0.8, multiple_of=1, layers="all")
    assert type(smaller.get_layer("mine")) is Doubled
    assert keep is None or "kept" not in keep


def test_what_does_not_fit_is_refused_by_name() -> None:
    inputs = layers.Input((5000,))
    model = keras.Model(inputs, layers.Dense(2, name="wide")(inputs))
    with pytest.raises(UnsupportedError, match="'wide' reads 5000 values"):
        OptimalBrainSurgeon().reduced(model, np.zeros((1, 5000)), macs=1, multiple_of=1, layers="all")
    shared = layers.Dense(4, name="shared")
    inputs = layers.Input((4,))
    twice = keras.Model(inputs, shared(shared(inputs)))
    with pytest.raises(UnsupportedError, match="'shared' is called 2 times"):
        OptimalBrainSurgeon(exact=0).reduced(twice, np.zeros((1, 4)), macs=1, multiple_of=1, layers="all")
    inner = layers.Dense(4, name="inner")
    between = keras.Model(inputs, layers.Dense(2)(inner(inner(layers.Dense(4)(inputs)))))
    with pytest.raises(UnsupportedError, match=r"  - 'inner' \(Dense\) reads them and is called 2 times"):
        ThiNet().reduced(between, np.zeros((1, 4)), macs=0.5, multiple_of=1, layers="all")
    alone = keras.Model(inputs, layers.Dense(3)(inputs))
    with pytest.raises(UnsupportedError, match="no channels that can be removed"):
        ThiNet().reduced(alone, np.zeros((1, 4)), macs=0.5, multiple_of=1, layers="all")
    with pytest.raises(UsageError, match="thinet works on a trained network"):
        ThiNet().wrap(alone, "all")
    with pytest.raises(UsageError, match="beta is positive"):
        DPP(beta=0)
    with pytest.raises(UsageError, match="dpp prunes channels"):
        DPP(structure="group")
    with pytest.raises(UsageError, match="1 sample and 1 position"):
        ThiNet(positions=0)
