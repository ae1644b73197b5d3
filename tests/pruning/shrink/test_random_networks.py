"""Random graphs with random zeros in their weights: whatever is removed, outputs stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.keras import keras, shake_normalizations
from tfkit.pruning.shrink import shrink

layers = keras.layers
SEEDS = range(40)
GATE = 4
CALLS = 12


def network(rng: np.random.Generator) -> Any:
    """Convolutions of all kinds, normalizations, activations, sums, products, concatenations, shuffles, pooling."""
    inputs = layers.Input((6, 6, 4))
    tensors = [layers.Conv2D(8, 3, padding="same")(inputs), layers.Conv2D(8, 1)(inputs)]
    for _ in range(CALLS):
        x = tensors[rng.integers(len(tensors))]
        tensors.append(_call(rng, x, [other for other in tensors if other.shape == x.shape]))
    ends = [tensors[-1], tensors[rng.integers(len(tensors))]]
    outputs = [
        layers.Dense(3)(layers.Flatten()(ends[0])),
        layers.Dense(3)(layers.GlobalAveragePooling2D()(ends[1])),
    ]
    return keras.Model(inputs, outputs)


def _call(rng: np.random.Generator, x: Any, alike: list[Any]) -> Any:
    channels = x.shape[-1]
    other = alike[rng.integers(len(alike))]
    match rng.integers(12):
        case 0:
            return layers.Conv2D(8, 3, padding="same", activation=rng.choice(["relu", "tanh"]))(x)
        case 1:
            return layers.Conv2D(12, 1, use_bias=False)(x)
        case 2:
            return layers.Conv2D(8, 1, groups=int(rng.choice([2, 4])))(x)
        case 3:
            return layers.DepthwiseConv2D(3, padding="same")(x)
        case 4:
            return layers.SeparableConv2D(8, 3, padding="same", depth_multiplier=2)(x)
        case 5 | 6:
            return layers.ReLU()(layers.BatchNormalization()(x))
        case 7:
            return layers.Activation(rng.choice(["sigmoid", "swish"]))(x)
        case 8:
            return layers.Add()([x, other])
        case 9:
            return layers.Concatenate()([x, other]) if channels <= 24 else layers.Maximum()([x, other])
        case 10:
            gate = layers.Dense(channels, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
            return layers.Multiply()([x, gate])
        case _:
            split = layers.Reshape((36, 2, channels // 2))(x)
            return layers.Reshape((6, 6, channels))(layers.Permute((1, 3, 2))(split))


def zero_some(model: Any, rng: np.random.Generator) -> None:
    """Filters, input slices and scales at random, as many as make some channels zero in all that go together."""
    for layer in model.layers:
        for weight in layer.weights:
            values = rng.normal(0, 0.5, weight.shape) if "moving" not in weight.name else weight.numpy()
            role = weight.name.split("/")[-1]
            if "kernel" in role and values.shape[-1] > 3:
                values[..., rng.random(values.shape[-1]) < 0.6] = 0
                values[..., rng.random(values.shape[-2]) < 0.2, :] = 0
            elif role.startswith(("bias", "gamma", "beta")):
                values = np.where(rng.random(values.shape) < 0.8, 0.0, values)
            weight.assign(values)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] * (seed >= GATE)) for seed in SEEDS])
def test_outputs_stay(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = shake_normalizations(network(rng), seed)
    zero_some(model, rng)
    found = shrink(model, multiple_of=int(rng.choice([1, 2])))
    x = rng.normal(size=(3, 6, 6, 4)).astype(np.float32)
    for before, after in zip(model(x), found.model(x), strict=True):
        scale = max(1e-6, float(np.abs(before).max()))
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-4 * scale, err_msg=f"seed {seed}")
    keras.backend.clear_session()


def test_something_is_removed() -> None:
    """Else the comparison above would say nothing."""
    removed = set()
    for seed in SEEDS[:GATE]:
        rng = np.random.default_rng(seed)
        model = network(rng)
        zero_some(model, rng)
        removed |= {one.structure for one in shrink(model).removed}
    assert {"channels", "inputs"} <= removed
