from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers.keras import keras, tiny_dataset
from tfkit import models, training
from tfkit._errors import UsageError
from tfkit.callbacks import HyperparameterScheduler
from tfkit.layers import QuantConv2D, QuantDense
from tfkit.metrics import FlipRatio
from tfkit.optimizers import Bop, CaseOptimizer, binary_kernels, bop_and_adam

SEED = 23
GAMMA, THRESHOLD = 0.1, 0.03


def bop_in_numpy(weights: np.ndarray, gradients: list[np.ndarray]) -> tuple[np.ndarray, list[int]]:
    """Algorithm 1 of https://arxiv.org/abs/1906.02107, in float64 and without its signs: flip where m·w > τ."""
    w, m = weights.astype(np.float64), np.zeros(weights.shape)
    flips = []
    for gradient in gradients:
        m = (1 - GAMMA) * m + GAMMA * gradient
        flip = (np.abs(m) > THRESHOLD) & (np.sign(m) == np.sign(w))
        w = np.where(flip, -w, w)
        flips.append(int(flip.sum()))
    return w, flips


def test_bop_is_algorithm_1() -> None:
    rng = np.random.default_rng(SEED)
    start = rng.choice([-1.0, 1.0], (16, 9)).astype(np.float32)
    gradients = [rng.normal(size=start.shape).astype(np.float32) for _ in range(20)]
    gradients[3][0] = 0.0
    expected, flips = bop_in_numpy(start, gradients)
    assert min(flips[5:]) > 0
    assert max(flips) < start.size / 2

    variable = tf.Variable(start)
    optimizer = Bop(threshold=THRESHOLD, gamma=GAMMA)
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
    np.testing.assert_array_equal(variable.numpy(), expected, err_msg=f"seed {SEED}")


def test_latent_weights_become_signs() -> None:
    variable = tf.Variable([0.3, -0.2, 0.0, -0.9])
    Bop().apply_gradients([(tf.zeros(4), variable)])
    np.testing.assert_array_equal(variable.numpy(), [1.0, -1.0, 1.0, -1.0])


def test_case_optimizer_moves_each_variable_by_its_own_rule() -> None:
    first, second, third = tf.Variable([1.0]), tf.Variable([1.0]), tf.Variable([1.0])
    sgd = keras.optimizers.legacy.SGD
    optimizer = CaseOptimizer(
        (lambda variable: variable is first, sgd(0.5)),
        (lambda variable: variable is second, sgd(0.25)),
        default_optimizer=sgd(0.125),
    )
    optimizer.apply_gradients([(tf.constant([1.0]), variable) for variable in (first, second, third)])
    assert [float(variable[0]) for variable in (first, second, third)] == [0.5, 0.75, 0.875]


def test_flip_ratio() -> None:
    metric = FlipRatio()
    for values in ([1, 1], [-1, -1], [1, -1]):
        metric.update_state(values)
    assert metric.result().numpy() == pytest.approx((1 + 0.5) / 2)


def test_hyperparameter_scheduler() -> None:
    model = models.build("small_cnn", scheme="binary", classes=3, seed=SEED)
    optimizer = bop_and_adam(model, 1e-2, gamma=1.0)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = tiny_dataset(SEED, samples=32)
    bop = optimizer.optimizers[0]
    scheduler = HyperparameterScheduler(lambda epoch: 0.5**epoch, "gamma", bop)
    history = model.fit(data.x_train, data.y_train, epochs=3, callbacks=[scheduler], verbose=0).history
    assert history["gamma"] == [1.0, 0.5, 0.25]
    assert float(bop.gamma.numpy() if hasattr(bop.gamma, "numpy") else bop.gamma) == 0.25


def test_binary_kernels_are_found_everywhere() -> None:
    signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
    inside = keras.Sequential([keras.layers.Input((4,)), QuantDense(4, **signs, name="inside")], name="nested")
    frozen = QuantDense(4, **signs, trainable=False)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(4), inside, frozen, QuantDense(4, **signs)])
    kernels = binary_kernels(model)
    assert len(kernels) == 2
    trained = {id(variable) for variable in model.trainable_variables}
    assert all(id(kernel) in trained for kernel in kernels)


def test_what_bop_cannot_train_is_refused() -> None:
    with pytest.raises(UsageError, match="no binary kernel for Bop"):
        bop_and_adam(models.build("small_cnn"), 1e-3)
    layer = QuantConv2D(4, 1, input_quantizer="ste_sign", kernel_quantizer="approx_sign", name="smooth")
    model = keras.Sequential([keras.layers.Input((4, 4, 4)), layer])
    with pytest.raises(UsageError, match=r"'smooth' has no gradient.*ste_sign"):
        bop_and_adam(model, 1e-3)


def test_the_recipe_trains_binary_kernels_with_bop_alone() -> None:
    data = tiny_dataset(SEED, samples=192)
    model = models.build("small_cnn", scheme="binary", classes=3, seed=SEED)
    history = training.fit(model, data, recipe="bop", epochs=6, batch_size=16, seed=SEED)
    kernel: Any = model.get_layer("block1a").get_weights()[0]
    assert set(np.unique(kernel)) == {-1.0, 1.0}
    stem = model.get_layer("stem").get_weights()[0]
    assert len(np.unique(stem)) > 100
    assert history["loss"][-1] < history["loss"][0] / 2, f"seed {SEED}: {history}"
