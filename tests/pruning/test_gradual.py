"""The rules by which masks are filled, against the papers' words in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.pruning import begun, convolutional, dense, shake
from tfkit._errors import UsageError
from tfkit.pruning import finish, sparsity
from tfkit.pruning.block import Block
from tfkit.pruning.han import Han
from tfkit.pruning.method import Method, Pruning
from tfkit.pruning.obd import OptimalBrainDamage

SEED = 11


def masks(pruning: Pruning) -> list[np.ndarray]:
    return [wrapper.mask.numpy() for wrapper in pruning.wrappers]


def kernels(pruning: Pruning) -> list[np.ndarray]:
    return [wrapper.layer.kernel.numpy() for wrapper in pruning.wrappers]


def test_rounds_take_the_same_share_of_what_is_left() -> None:
    pruning = begun(shake(convolutional(SEED), SEED), Han(0.8), epochs=6)
    left = []
    for epoch in range(6):
        pruning.method.before_epoch(pruning, epoch)
        left.append(np.mean(np.concatenate([mask.ravel() for mask in masks(pruning)])))
    # Four rounds in six epochs, each keeps 0.2^(1/4).
    np.testing.assert_allclose(left, [0.2**0.25, 0.2**0.5, 0.2**0.75, 0.2, 0.2, 0.2], atol=1e-3)


def test_han_cuts_at_a_multiple_of_the_standard_deviation() -> None:
    pruning = begun(shake(convolutional(SEED), SEED), Han(0.75), epochs=3)
    for epoch in range(2):
        left = masks(pruning)
        pruning.method.before_epoch(pruning, epoch)
        ratios = [
            np.abs(w) / np.std([value for value, keep in zip(w.ravel(), m.ravel(), strict=True) if keep])
            for w, m in zip(kernels(pruning), left, strict=True)
        ]
        # There is one q such that exactly the weights at or above q · σ of their layer are left.
        kept = np.concatenate([r[m > 0] for r, m in zip(ratios, masks(pruning), strict=True)])
        gone = np.concatenate([r[(m == 0) & (b > 0)] for r, m, b in zip(ratios, masks(pruning), left, strict=True)])
        assert gone.max() < kept.min(), f"seed {SEED}"
        assert all(np.all(now <= before) for now, before in zip(masks(pruning), left, strict=True))


def test_pruned_weights_neither_learn_nor_count() -> None:
    import tensorflow as tf

    pruning = begun(shake(dense((5, 4, 3), SEED), SEED), Han(0.6), epochs=1)
    pruning.method.before_epoch(pruning, 0)
    x = np.random.default_rng(SEED).normal(size=(6, 5)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(pruning.network(x, training=True)))
    gradients = tape.gradient(loss, [wrapper.layer.kernel for wrapper in pruning.wrappers])
    for gradient, mask in zip(gradients, masks(pruning), strict=True):
        assert np.all(np.asarray(gradient)[mask == 0] == 0)
    (w1, b1), (w2, b2) = ((w.layer.kernel.numpy() * w.mask.numpy(), w.layer.bias.numpy()) for w in pruning.wrappers)
    expected = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    np.testing.assert_allclose(pruning.network(x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(finish(pruning.network)(x), expected, rtol=1e-5, atol=1e-5)


def test_obd_of_a_linear_classifier() -> None:
    """For logits xW + b the second derivative of the cross entropy by W_ij is x_i² p_j (1 - p_j)."""
    model = shake(dense((4, 3), SEED), SEED)
    x = np.random.default_rng(SEED).normal(size=(10, 4)).astype(np.float32)
    pruning = begun(model, OptimalBrainDamage(0.5, samples=10), epochs=1, samples=x)
    pruning.method.before_epoch(pruning, 0)
    w, b = (weight.numpy().astype(float) for weight in model.weights)
    z = np.exp(x @ w + b)
    p = z / z.sum(1, keepdims=True)
    saliency = np.einsum("ni,nj->ij", x**2, p * (1 - p)) / 10 * w**2 / 2
    (mask,) = masks(pruning)
    assert set(map(tuple, np.argwhere(mask == 0))) == set(
        map(tuple, np.argwhere(saliency <= np.sort(saliency.ravel())[5]))
    ), f"seed {SEED}"


def test_obd_goes_through_activations() -> None:
    """Gauss-Newton by finite differences of the logits: h = Jᵀ (diag(p) - p pᵀ) J."""
    from tfkit.pruning.curvature import diagonal

    model = shake(dense((3, 4, 3), SEED), SEED)
    x = np.random.default_rng(SEED).normal(size=(5, 3)).astype(np.float32)
    kernel = model.get_layer("d1").kernel
    (found,) = diagonal(model, [kernel], x)
    w1, b1, w2, b2 = (weight.numpy().astype(float) for weight in model.weights)

    def logits(first: np.ndarray) -> np.ndarray:
        return np.maximum(x @ first + b1, 0) @ w2 + b2

    z = np.exp(logits(w1))
    p = z / z.sum(1, keepdims=True)
    for place in np.ndindex(w1.shape):
        step = np.zeros_like(w1)
        step[place] = 1e-6
        j = (logits(w1 + step) - logits(w1 - step)) / 2e-6
        h = np.mean(np.sum(p * j**2, 1) - np.sum(p * j, 1) ** 2)
        assert found[place] == pytest.approx(h, rel=1e-3, abs=1e-6), f"seed {SEED}"


def test_obd_wants_data() -> None:
    pruning = begun(dense((4, 3), SEED), OptimalBrainDamage(0.5))
    with pytest.raises(UsageError, match="looks at data"):
        pruning.method.before_epoch(pruning, 0)


@pytest.mark.parametrize(("rows", "columns"), [(1, 4), (2, 2), (3, 5)])
def test_blocks_are_zero_together(rows: int, columns: int) -> None:
    model = shake(dense((10, 12, 7), SEED), SEED)
    pruning = begun(model, Block(0.5, rows, columns), epochs=1)
    pruning.method.before_epoch(pruning, 0)
    means: list[tuple[float, float]] = []
    for w, mask in zip(kernels(pruning), masks(pruning), strict=True):
        for top in range(0, w.shape[0], rows):
            for left in range(0, w.shape[1], columns):
                part = mask[top : top + rows, left : left + columns]
                assert part.min() == part.max(), "a block is cut through"
                means.append((float(np.abs(w[top : top + rows, left : left + columns]).mean()), float(part.max())))
    assert sum(1 for _, kept in means if not kept) == round(0.5 * len(means))
    assert max(mean for mean, kept in means if not kept) < min(mean for mean, kept in means if kept)


def test_zeros_stay_when_the_wrapper_comes_off() -> None:
    model = shake(convolutional(SEED), SEED)
    pruning = begun(model, Block(0.6), epochs=1)
    pruning.method.before_epoch(pruning, 0)
    model = finish(pruning.network)
    shares = sparsity(model)
    assert set(shares) == {"stem", "first", "second", "logits"}
    total = sum(share * model.get_layer(name).kernel.shape.num_elements() for name, share in shares.items())
    assert total / sum(model.get_layer(name).kernel.shape.num_elements() for name in shares) == pytest.approx(
        0.6, abs=0.02
    )


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        (Han(), {"sparsity": 1.0}, r"inside \(0, 1\); got 1.0"),
        (OptimalBrainDamage(), {"samples": 0}, "at least 1 sample; got 0"),
        (Block(), {"rows": 1, "columns": 1}, "at least 2 weights; got 1x1"),
        (Block(), {"sparsity": 0.0}, "got 0.0"),
    ],
)
def test_settings_that_make_no_sense(method: Method, changes: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(method, **changes)
