"""Layers that choose what to compute while running, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.keras import keras, run_layer_test
from tfkit._errors import UsageError
from tfkit.layers import BoostedConv2D, CollaborativeConv2D

SEED = 53


def shaken(layer: Any, shape: tuple[int, ...]) -> Any:
    layer.build((None, *shape))
    rng = np.random.default_rng(SEED)
    for weight in layer.weights:
        values = rng.normal(size=weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    return layer


def convolved(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A "same" convolution of stride 1, written out."""
    height, width = kernel.shape[:2]
    padded = np.pad(x, [(0, 0), (height // 2,) * 2, (width // 2,) * 2, (0, 0)])
    return sum(
        padded[:, i : i + x.shape[1], j : j + x.shape[2]] @ kernel[i, j] for i in range(height) for j in range(width)
    )


def normalized(x: np.ndarray, norm: Any) -> np.ndarray:
    gamma = 1 if norm.gamma is None else norm.gamma.numpy()
    spread = np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    return (x - norm.moving_mean.numpy()) / spread * gamma + norm.beta.numpy()


def test_boosting_and_suppression() -> None:
    layer = shaken(BoostedConv2D(7, 3, density=0.4, penalty=0.5), (5, 6, 4))
    x = np.random.default_rng(SEED).normal(size=(3, 5, 6, 4)).astype(np.float32)
    g = np.maximum(np.abs(x).mean((1, 2)) @ layer.predictor.kernel.numpy() + layer.predictor.bias.numpy(), 0)
    expected = normalized(convolved(x, layer.conv.kernel.numpy()), layer.norm)
    for sample, saliency in enumerate(g):
        winners = np.argsort(-saliency, kind="stable")[:3]  # 0.4 of 7, rounded up
        for channel in range(7):
            factor = saliency[channel] if channel in winners else 0
            expected[sample, ..., channel] = np.maximum(factor * expected[sample, ..., channel], 0)
    np.testing.assert_allclose(layer(x, training=False), expected, rtol=1e-4, atol=1e-4, err_msg=f"seed {SEED}")
    assert float(layer.losses[0]) == pytest.approx(0.5 * g.sum(1).mean(), rel=1e-5)


@pytest.mark.parametrize(("kind", "outputs"), [("spatial", 1), ("pointwise", 6)])
def test_low_cost_collaboration(kind: str, outputs: int) -> None:
    layer = shaken(CollaborativeConv2D(6, 3, kind=kind), (5, 6, 4))
    assert layer.lowcost.kernel.shape == ((3, 3, 4, 1) if kind == "spatial" else (1, 1, 4, 6))
    x = np.random.default_rng(SEED).normal(size=(3, 5, 6, 4)).astype(np.float32)
    scale = np.maximum(normalized(convolved(x, layer.lowcost.kernel.numpy()), layer.norm), 0)
    assert scale.shape[-1] == outputs
    expected = scale * convolved(x, layer.conv.kernel.numpy())
    np.testing.assert_allclose(layer(x, training=False), expected, rtol=1e-3, atol=1e-3, err_msg=f"seed {SEED}")
    assert layer.skipped(x) == pytest.approx(np.mean(scale == 0), abs=1e-6)
    assert 0 < layer.skipped(x) < 1


@pytest.mark.parametrize("make", [lambda: BoostedConv2D(4), lambda: CollaborativeConv2D(4, strides=2)])
def test_as_a_keras_layer(make: Any) -> None:
    run_layer_test(make, (6, 6, 3), SEED)


@pytest.mark.parametrize("make", [lambda: BoostedConv2D(4), lambda: CollaborativeConv2D(4)])
def test_the_label_says_that_no_runtime_exploits_it(make: Any) -> None:
    assert "exploit: **nothing today.**" in type(make()).__doc__


def test_converts_to_a_flatbuffer_that_computes_the_same() -> None:
    from tfkit.converters import convert

    inputs = keras.layers.Input((8, 8, 3))
    x = BoostedConv2D(8, name="boosted")(inputs)
    x = CollaborativeConv2D(8, name="collaborative")(x)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    conversion = convert(model)
    assert conversion.parity is not None


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match=r"density lies in \(0, 1\]"):
        BoostedConv2D(4, density=0)
    with pytest.raises(UsageError, match="kind is one of spatial, pointwise; got 'cheap'"):
        CollaborativeConv2D(4, kind="cheap")
    with pytest.raises(UsageError, match="only with padding 'same'"):
        CollaborativeConv2D(4, kind="pointwise", padding="valid")
